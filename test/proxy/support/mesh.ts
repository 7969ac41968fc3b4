/** The pieces of a small mesh on loopback: applications, sidecars, clients, and a log that tests can wait on. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { systemClock } from '../../../src/proxy/clock.ts';
import type { LogFields, Logger } from '../../../src/proxy/log.ts';
import { type RunningSidecar, startSidecar } from '../../../src/proxy/sidecar.ts';
import { type FakeAgent, loopback } from './fake-agent.ts';

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** Collects log lines; `seen` resolves with the first one that matches, also among those that came before. */
export class LogBook {
  readonly lines: Line[] = [];
  readonly #waiters = new Set<() => void>();

  logger(): Logger {
    const at =
      (level: string) =>
      (message: string, fields: LogFields = {}) => {
        this.lines.push({ level, message, fields });
        for (const waiter of [...this.#waiters]) waiter();
      };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), with: () => this.logger() };
  }

  seen(matches: (line: Line) => boolean): Promise<Line> {
    return new Promise((resolve) => {
      const look = (): void => {
        const line = this.lines.find(matches);
        if (line === undefined) return;
        this.#waiters.delete(look);
        resolve(line);
      };
      this.#waiters.add(look);
      look();
    });
  }
}

export const listening = (book: LogBook, listener: string): Promise<Line> =>
  book.seen((line) => line.message === 'starting listener' && line.fields.listener === listener);

export const refusal = (book: LogBook, code: string): Promise<Line> =>
  book.seen((line) => line.fields.refusal === code || line.fields.failure === code);

export interface Started {
  readonly sidecar: RunningSidecar;
  readonly book: LogBook;
}

export function follow(agent: FakeAgent, proxyId: string): Started {
  const book = new LogBook();
  const options = { agent: { address: agent.address }, from: { proxyId } };
  const sidecar = startSidecar(options, { log: book.logger(), clock: systemClock });
  return { sidecar, book };
}

/** A TCP application; `each` gets every connection. */
export async function application(each: (socket: Socket) => void, port = 0): Promise<{ port: number; server: Server }> {
  const server = createServer({ allowHalfOpen: true }, each);
  server.listen(port, loopback);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, server };
}

export const echo = (socket: Socket): void => {
  socket.on('error', () => {});
  socket.pipe(socket);
};

/** A port that nobody holds now. */
export async function freePort(): Promise<number> {
  const { port, server } = await application(() => {});
  server.close();
  await once(server, 'close');
  return port;
}

export async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: loopback, allowHalfOpen: true });
  socket.on('error', () => {}); // a test that cares asks `ending`, or reads
  await once(socket, 'connect');
  return socket;
}

/** Sends, ends its side, and gives all that comes back; rejects when the connection fails. */
export async function exchange(port: number, text: string): Promise<string> {
  const socket = await dial(port);
  socket.end(text);
  let all = '';
  for await (const chunk of socket) all += String(chunk);
  return all;
}

/** How a connection ends for its client: `end` in good order, else the error's code. */
export function ending(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('end', () => resolve('end'));
    socket.resume();
  });
}

/** How a fresh connection ends; a refusal may come before the client knows that it was connected. */
export function attempt(port: number): Promise<string> {
  return ending(connect({ port, host: loopback }));
}

/** Registration of a sidecar of `service` at `port`, its application at `application`, upstreams as `name: port`. */
export function registration(
  service: string,
  at: { port: number; application: number; upstreams?: Record<string, number>; config?: Record<string, unknown> },
): Record<string, unknown> {
  return {
    Kind: 'connect-proxy',
    ID: `${service}-sidecar-proxy`,
    Service: `${service}-sidecar-proxy`,
    Address: loopback,
    Port: at.port,
    Proxy: {
      DestinationServiceName: service,
      LocalServiceAddress: loopback,
      LocalServicePort: at.application,
      Config: at.config ?? {},
      Upstreams: Object.entries(at.upstreams ?? {}).map(([DestinationName, LocalBindPort]) => ({
        DestinationName,
        LocalBindPort,
        LocalBindAddress: loopback,
      })),
    },
  };
}
