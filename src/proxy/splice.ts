/**
 * Two sockets become one connection: what comes in at one goes out at the other, in both directions.
 *
 *     client ──data──▶ far        a full buffer at `far` pauses `client` until it drains (back-pressure)
 *     client ◀──data── far        an end is passed on as an end, the other direction stays open (half-close)
 *
 * An error at one side aborts the other, as far as its protocol can say so, so that a cut-off answer is not taken for a
 * complete one. One closure a direction and no work per chunk but a write: this is the hot path.
 */
import type { Socket } from 'node:net';

/**
 * One end of a splice: the socket to read and write, and the TCP connection under it, which is the same one unless TLS lies
 * between. Once aborted, it must not be touched any more: a TLS socket whose connection was closed under it may still look
 * usable for an instant, and Node (20.20) crashes in native code when it is written to, or destroyed, in that instant.
 */
export class Side {
  readonly socket: Socket;
  readonly transport: Socket;
  gone = false;

  constructor(socket: Socket, transport: Socket = socket) {
    this.socket = socket;
    this.transport = transport;
  }

  /** Ends it so that the peer sees a failure: a TCP reset. Its socket closes by itself afterwards. */
  abort(): void {
    if (this.gone || this.socket.destroyed || this.transport.destroyed) return;
    this.gone = true;
    // Unix sockets know no reset; they have no remote family either.
    if (this.transport.remoteFamily === undefined) this.transport.destroy();
    else this.transport.resetAndDestroy();
  }
}

export interface SpliceEnd {
  /** The error that ended it, or null when both sides had finished. */
  readonly error: Error | null;
}

/** Both sides must be connected, unread and `allowHalfOpen`. `onEnd` is called once, after both are closed. */
export function splice(a: Side, b: Side, onEnd: (end: SpliceEnd) => void): void {
  let open = 2;
  let error: Error | null = null;
  const watch = (side: Side, other: Side): void => {
    side.socket.on('error', (reason) => {
      error ??= reason;
      side.gone = true;
      other.abort();
    });
    side.socket.on('close', () => {
      side.gone = true;
      // Closed without an end: reset, or destroyed by us. The other side must not wait for more.
      if (!side.socket.readableEnded) other.abort();
      open -= 1;
      if (open === 0) onEnd({ error });
    });
  };
  watch(a, b);
  watch(b, a);
  forward(a, b);
  forward(b, a);
}

/**
 * What may wait at one side before the other is no longer read. A write that the kernel takes at once counts as "full" for
 * Node when it is longer than the stream's own mark (16 KiB), so that mark alone would stop and start reading at every chunk.
 */
const bufferBytesMax = 256 * 1024;

function forward(from: Side, to: Side): void {
  const source = from.socket;
  const target = to.socket;
  source.on('data', (chunk: Buffer) => {
    if (to.gone) return;
    if (!target.write(chunk) && target.writableLength >= bufferBytesMax) source.pause();
  });
  target.on('drain', () => {
    if (!from.gone && source.isPaused()) source.resume();
  });
  source.on('end', () => {
    if (!to.gone) target.end();
  });
  // Accepted sockets were paused until there was somewhere to send.
  source.resume();
}
