/**
 * The door on a socket: an HTTP or HTTPS server with limits on connections, and a close that ends blocked reads.
 */
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Door } from './door.ts';
import { plainAddress } from './request.ts';
import type { ConnectionLimit } from './write-access.ts';

/** Keys may be as long as a request line may be. */
const headerBytesMax = 1024 * 1024;
/**
 * Clients keep connections, and one that was idle for long is as good as another: they are never closed for it (a client would
 * race against that, and a timer would be set for each answer). Those whose client is gone without a word are found by TCP.
 */
const idle = { keepAliveTimeout: 0, keepAlive: true, keepAliveInitialDelay: 15_000 } as const;
/** What is being answered when the door closes may still be sent; reads that wait are cut. */
const closeGraceMs = 300;

export interface ServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** A Unix socket instead of host and port. */
  readonly path?: string;
  /** TLS settings; undefined: plain HTTP. */
  readonly tls?: https.ServerOptions | undefined;
}

export interface RunningServer {
  /** Of a Unix socket: port 0 and the path as the address. */
  readonly address: AddressInfo;
  /** Open ones. */
  readonly connections: number;
  /** Stops listening, ends every connection (busy ones a moment later), resolves when all are gone. */
  close(): Promise<void>;
}

/** Starts to listen. Rejects with the system's error (`EADDRINUSE`…) when it cannot. Share one limit among listeners. */
export async function serveHttp(door: Door, limit: ConnectionLimit, options: ServerOptions): Promise<RunningServer> {
  const settings = { maxHeaderSize: headerBytesMax, noDelay: true, ...idle };
  const server =
    options.tls === undefined
      ? http.createServer(settings, door.listener)
      : https.createServer({ ...options.tls, ...settings }, door.listener);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => admit(socket, sockets, limit));
  server.on('clientError', refuseUnreadable);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (options.path === undefined) server.listen(options.port, options.host, resolve);
    else server.listen(options.path, resolve);
  });
  return {
    address: addressOf(server.address()),
    get connections() {
      return sockets.size;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
        const cut = setTimeout(() => sockets.forEach((socket) => void socket.destroy()), closeGraceMs);
      }),
  };
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  return typeof address === 'object' && address !== null
    ? address
    : { address: address ?? '', family: 'unix', port: 0 };
}

const tooMany = 'Your IP is issuing too many concurrent connections, please rate limit your calls\n';

function admit(socket: Socket, sockets: Set<Socket>, limit: ConnectionLimit): void {
  const address = plainAddress(socket.remoteAddress ?? '');
  if (!limit.acquire(address)) {
    socket.on('error', () => socket.destroy());
    socket.end(rawAnswer('429 Too Many Requests', tooMany, 'Retry-After: 1\r\n'));
    return;
  }
  sockets.add(socket);
  socket.once('close', () => {
    sockets.delete(socket);
    limit.release(address);
  });
}

function refuseUnreadable(error: NodeJS.ErrnoException, socket: import('node:stream').Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(rawAnswer(status, status));
}

function rawAnswer(status: string, body: string, more = ''): string {
  const head = `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n${more}`;
  return `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
