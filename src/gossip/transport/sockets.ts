/** The real network: one UDP socket and one TCP listener on the same address and port. */
import { createSocket, type Socket } from 'node:dgram';
import { createConnection, createServer, isIPv6, type Server, type Socket as TcpSocket } from 'node:net';
import { GossipError } from '../errors.ts';
import type { Endpoint } from '../swim/types.ts';
import type { InboundStream, OutboundStream, Transport, TransportHandlers } from './transport.ts';

/** Bursts (a partition that heals) must not overflow the socket; the kernel gives what it allows. */
const receiveBufferBytes = 2 * 1024 * 1024;
/** A free TCP port may be taken for UDP: then another is tried. */
const bindAttempts = 20;

export class SocketTransport implements Transport {
  private udp: Socket | undefined;
  private tcp: Server | undefined;
  private readonly connections = new Set<TcpSocket>();

  async listen(bind: Endpoint, handlers: TransportHandlers): Promise<Endpoint> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.tryListen(bind, handlers);
      } catch (error) {
        await this.close();
        const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
        if (bind.port === 0 && taken && attempt < bindAttempts) continue;
        const message = `cannot listen on ${bind.address}:${bind.port}: ${(error as Error).message}`;
        throw new GossipError('bind-failed', message, { ...bind }, { cause: error });
      }
    }
  }

  private async tryListen(bind: Endpoint, handlers: TransportHandlers): Promise<Endpoint> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.track(socket);
      handlers.stream(inbound(socket));
    });
    this.tcp = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(bind.port, bind.address, resolve);
    });
    const { port } = server.address() as { port: number };
    const udp = createSocket({
      type: isIPv6(bind.address) ? 'udp6' : 'udp4',
      recvBufferSize: receiveBufferBytes,
      // Addresses are always numbers here; the default would go through the resolver for each packet.
      lookup: (address, _options, callback) => callback(null, address, isIPv6(address) ? 6 : 4),
    });
    this.udp = udp;
    await new Promise<void>((resolve, reject) => {
      udp.once('error', reject);
      udp.bind({ port, address: bind.address, exclusive: true }, resolve);
    });
    udp.on('message', (bytes, from) => handlers.packet(plain(bytes), from));
    udp.on('error', (error) => handlers.failed(error));
    server.on('error', (error) => handlers.failed(error));
    return { address: bind.address, port };
  }

  send(bytes: Uint8Array, to: Endpoint, failed: (error: Error) => void): void {
    if (this.udp === undefined) return;
    this.udp.send(bytes, to.port, to.address, (error) => {
      if (error !== null) failed(error);
    });
  }

  dial(to: Endpoint, timeoutMs: number): Promise<OutboundStream> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host: to.address, port: to.port, allowHalfOpen: true, noDelay: true });
      this.track(socket);
      const fail = (error: Error): void => {
        socket.destroy();
        reject(error);
      };
      socket.once('error', fail);
      socket.setTimeout(timeoutMs, () => fail(new Error(`no connection within ${timeoutMs} ms`)));
      socket.once('connect', () => {
        socket.off('error', fail);
        socket.setTimeout(0);
        resolve({
          onData: (callback) => listen(socket, callback),
          write: (data) => void socket.write(data),
          end: () => void socket.end(),
          destroy: () => void socket.destroy(),
        });
      });
    });
  }

  private track(socket: TcpSocket): void {
    this.connections.add(socket);
    socket.once('close', () => this.connections.delete(socket));
  }

  async close(): Promise<void> {
    const { udp, tcp } = this;
    this.udp = undefined;
    this.tcp = undefined;
    for (const socket of this.connections) socket.destroy();
    const closed: Promise<void>[] = [];
    if (udp !== undefined) closed.push(new Promise((resolve) => udp.close(() => resolve())));
    if (tcp?.listening) closed.push(new Promise((resolve) => tcp.close(() => resolve())));
    await Promise.all(closed);
  }
}

function inbound(socket: TcpSocket): InboundStream {
  return {
    from: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
    onData: (callback) => listen(socket, callback),
    end: (bytes) => void (bytes === undefined ? socket.end() : socket.end(bytes)),
    destroy: () => void socket.destroy(),
  };
}

/** Chunks, then one null at the end, by whatever way the stream ended. */
function listen(socket: TcpSocket, callback: (chunk: Uint8Array | null) => void): void {
  let over = false;
  const end = (): void => {
    if (!over) callback(null);
    over = true;
  };
  socket.on('data', (chunk) => {
    if (!over) callback(plain(chunk));
  });
  socket.once('end', end);
  socket.once('close', end);
  // 'close' follows and is what counts: a reset is an end like any other.
  socket.on('error', () => socket.destroy());
}

/** A plain view: Uint8Array's `slice` copies, Buffer's does not. */
function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
