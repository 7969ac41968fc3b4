/** A door on a free loopback port, and a client that shows what really went over the wire. */
import http from 'node:http';
import {
  ConnectionLimit,
  Door,
  type DoorOptions,
  doorDefaults,
  type Route,
  serveHttp,
} from '../../src/api/http/index.ts';

export interface Exchange {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export interface TestDoor {
  readonly base: string;
  readonly port: number;
  /** Texts that the door logged as errors: defects. */
  readonly errors: string[];
  call(method: string, path: string, options?: CallOptions): Promise<Exchange>;
  close(): Promise<void>;
}
export interface CallOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
}

export async function openDoor(
  routes: readonly Route[],
  options: Partial<DoorOptions> = {},
  connectionsMax = 0,
): Promise<TestDoor> {
  const errors: string[] = [];
  const log = {
    error: (fields: Readonly<Record<string, unknown>>, message: string) =>
      void errors.push(`${message} ${fields.error}`),
    debug: () => undefined,
  };
  const door = new Door(routes, { ...doorDefaults, ...options }, log);
  const server = await serveHttp(door, new ConnectionLimit(connectionsMax), { host: '127.0.0.1', port: 0 });
  const agent = new http.Agent({ keepAlive: true });
  const { port } = server.address;
  return {
    base: `http://127.0.0.1:${port}`,
    port,
    errors,
    call: (method, path, callOptions) => exchange(agent, port, method, path, callOptions),
    close: async () => {
      agent.destroy();
      await server.close();
    },
  };
}

/** One exchange, with the path sent exactly as given. */
export function exchange(
  agent: http.Agent | false,
  port: number,
  method: string,
  path: string,
  { headers = {}, body }: CallOptions = {},
): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const chunked = body === undefined || 'Transfer-Encoding' in headers;
    const sent = chunked ? headers : { 'Content-Length': String(Buffer.byteLength(body)), ...headers };
    const request = http.request({ host: '127.0.0.1', port, method, path, headers: sent, agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(parts);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes, text: bytes.toString() });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}
