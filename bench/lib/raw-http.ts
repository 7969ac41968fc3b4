/**
 * A load generator's HTTP client: one keep-alive connection a client, one request in flight on each (closed loop), written
 * on bare sockets so that the generator takes as little of the two cores as it can and measures the server.
 */
import { connect, type Socket } from 'node:net';

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RawResponse {
  readonly status: number;
  readonly body: Buffer;
}

export class RawClient {
  readonly #socket: Socket;
  readonly #host: string;
  #buffer: Buffer = Buffer.alloc(0);
  #waiting: { resolve(response: RawResponse): void; reject(error: Error): void } | undefined;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('connection closed')));
  }

  static open(host: string, port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket, `${host}:${port}`));
      });
    });
  }

  request({ method, path, body, headers }: RawRequest): Promise<RawResponse> {
    if (this.#waiting !== undefined) throw new Error('one request at a time');
    let head = `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n`;
    for (const [name, value] of Object.entries(headers ?? {})) head += `${name}: ${value}\r\n`;
    if (body !== undefined) head += `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    head += '\r\n';
    if (typeof body === 'string' || body === undefined) this.#socket.write(head + (body ?? ''));
    else this.#socket.write(Buffer.concat([Buffer.from(head), body]));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }

  #take(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const end = this.#buffer.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#buffer.toString('latin1', 0, end);
    const status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) {
      const total = end + 4 + Number(length);
      if (this.#buffer.length >= total) this.#answer(status, this.#buffer.subarray(end + 4, total), total);
      return;
    }
    if (!/\r\ntransfer-encoding: *chunked/i.test(head)) {
      this.#answer(status, Buffer.alloc(0), end + 4);
      return;
    }
    const chunked = readChunked(this.#buffer, end + 4);
    if (chunked !== undefined) this.#answer(status, chunked.body, chunked.end);
  }

  #answer(status: number, body: Buffer, consumed: number): void {
    this.#buffer = this.#buffer.subarray(consumed);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status, body });
  }
}

/** The body of a chunked answer that is complete; undefined while it is not. */
function readChunked(buffer: Buffer, start: number): { body: Buffer; end: number } | undefined {
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const line = buffer.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(buffer.toString('latin1', at, line), 16);
    const next = line + 2 + size + 2;
    if (buffer.length < next) return undefined;
    if (size === 0) return { body: Buffer.concat(parts), end: next };
    parts.push(buffer.subarray(line + 2, line + 2 + size));
    at = next;
  }
}
