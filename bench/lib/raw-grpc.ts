/**
 * A load generator's gRPC client: one HTTP/2 connection a client, one unary call at a time on it, as `raw-http.ts` is for HTTP. It speaks
 * gRPC's framing on Node's HTTP/2 itself: a client library would cost the generator more than the call costs the server.
 */
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import type { RawRequest, RawResponse } from './raw-http.ts';

const prefixBytes = 5;

/** A message with gRPC's prefix, as Latin-1 text: `{client}` and `{n}` in it may be replaced by as many digits as they stand for. */
export function grpcBody(message: string, bytes: number): string {
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(bytes, 1);
  return prefix.toString('latin1') + message;
}

export class RawGrpcClient {
  readonly #session: ClientHttp2Session;
  #failure: Error | undefined;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
    session.on('error', (error) => {
      this.#failure = error;
    });
  }

  static open(host: string, port: number): Promise<RawGrpcClient> {
    return new Promise((resolve, reject) => {
      const session = connect(`http://${host}:${port}`);
      session.once('error', reject);
      session.once('connect', () => {
        session.off('error', reject);
        resolve(new RawGrpcClient(session));
      });
    });
  }

  /** `status` is 200 for a call that ended with OK, else 500 with gRPC's status and text as the body. */
  request({ path, body }: RawRequest): Promise<RawResponse> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const chunks: Buffer[] = [];
      let status = '';
      // A call that fails at once has its status in its only header block.
      const note = (headers: Readonly<Record<string, unknown>>): void => {
        if (headers['grpc-status'] !== undefined) status = `${headers['grpc-status']} ${headers['grpc-message'] ?? ''}`;
      };
      stream.on('response', note);
      stream.on('trailers', note);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.once('error', reject);
      stream.once('end', () => {
        if (status === '0 ') resolve({ status: 200, body: Buffer.concat(chunks).subarray(prefixBytes) });
        else resolve({ status: 500, body: Buffer.from(`grpc-status ${status}`) });
      });
      stream.end(typeof body === 'string' ? Buffer.from(body, 'latin1') : body);
    });
  }

  close(): void {
    this.#session.destroy();
  }
}
