/**
 * Delay, jitter, loss, resets and black holes where the kernel has no netem: every server advertises an address at which
 * this stands, TCP (Raft, RPC, gossip's streams) and UDP (gossip's packets), and hands on to the server.
 *
 *     server A ── 10.77.0.102:8300 ──> proxy, with the weather of server B ──> 10.77.0.2:8300, server B
 *
 * The weather is that of the way *to* a server, and of what comes back on the same connection. The order of a stream's bytes
 * is kept, as TCP keeps it: a lost segment is one that comes late. A packet that is lost is lost.
 *
 * Two agents can be parted, in one direction or both (`part`): what one sends to the other is held while they are, or lost if it
 * is a packet. All that the proxy did to bytes is counted.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';

export interface Weather {
  /** One way, ms. */
  readonly delayMs: number;
  /** Up to so much more, ms. */
  readonly jitterMs: number;
  /** Share of packets (UDP) that vanish, of chunks (TCP) that come `retransmitMs` late. */
  readonly loss: number;
  /** Nothing passes; connections stay open. */
  readonly blackHole: boolean;
}

const fair: Weather = { delayMs: 0, jitterMs: 0, loss: 0, blackHole: false };

const retransmitMs = 200;
/** A stream's source is not read while so many bytes are under way. */
const bytesUnderWayMax = 1 << 20;

export interface Way {
  readonly listen: string;
  readonly target: string;
  readonly tcpPorts: readonly number[];
  readonly udpPorts: readonly number[];
}

/** What a proxy did, from its start. */
export interface FaultCounts {
  packetsLost: number;
  packetsDelayed: number;
  chunksDelayed: number;
  chunksHeld: number;
  connectionsReset: number;
}

/** What all ways share. */
interface Shared {
  readonly chance: () => number;
  readonly counts: FaultCounts;
  /** `from>to`, by address. */
  readonly parted: Set<string>;
}

export class FaultProxy {
  readonly #shared: Shared;
  readonly #addresses: readonly Way[];
  readonly #ways: FaultyWay[] = [];

  private constructor(ways: readonly Way[], chance: () => number) {
    this.#addresses = ways;
    const counts = { packetsLost: 0, packetsDelayed: 0, chunksDelayed: 0, chunksHeld: 0, connectionsReset: 0 };
    this.#shared = { chance, counts, parted: new Set() };
  }

  get counts(): Readonly<FaultCounts> {
    return { ...this.#shared.counts };
  }

  /** Where it stands before server `index`. */
  addressOf(index: number): string | undefined {
    return this.#addresses[index]?.listen;
  }

  /** Nothing from one address to the other passes, on connections of either, until `join`. */
  part(from: string, to: string): void {
    this.#shared.parted.add(`${from}>${to}`);
  }

  join(from: string, to: string): void {
    this.#shared.parted.delete(`${from}>${to}`);
    for (const way of this.#ways) way.changed();
  }

  /** `ways[i]` leads to server `i`. Resolves when all ports are listened on. */
  static async start(ways: readonly Way[], chance: () => number): Promise<FaultProxy> {
    const proxy = new FaultProxy(ways, chance);
    try {
      for (const way of ways) proxy.#ways.push(await FaultyWay.open(way, proxy.#shared));
    } catch (error) {
      proxy.stop();
      throw error;
    }
    return proxy;
  }

  /** From now on, for bytes that come from now on. */
  setWeather(server: number, weather: Partial<Weather>): void {
    this.#ways[server]!.setWeather({ ...fair, ...weather });
  }

  /** Ends every connection to a server with a reset. Returns how many there were. */
  reset(server: number): number {
    return this.#ways[server]!.reset();
  }

  heal(): void {
    for (const way of this.#ways) way.setWeather(fair);
  }

  stop(): void {
    for (const way of this.#ways) way.stop();
  }
}

class FaultyWay {
  readonly #way: Way;
  readonly #shared: Shared;
  readonly #servers: Server[] = [];
  readonly #sockets: UdpSocket[] = [];
  readonly #streams = new Set<FaultyStream>();
  #weather = fair;

  private constructor(way: Way, shared: Shared) {
    this.#way = way;
    this.#shared = shared;
  }

  static async open(way: Way, shared: Shared): Promise<FaultyWay> {
    const opened = new FaultyWay(way, shared);
    try {
      for (const port of way.tcpPorts) await opened.#listenTcp(port);
      for (const port of way.udpPorts) await opened.#listenUdp(port);
    } catch (error) {
      opened.stop();
      throw error;
    }
    return opened;
  }

  setWeather(weather: Weather): void {
    this.#weather = weather;
    this.changed();
  }

  /** What was held may pass now. */
  changed(): void {
    for (const stream of this.#streams) stream.release();
  }

  /** Returns how many connections there were. */
  reset(): number {
    const count = Math.ceil(this.#streams.size / 2);
    this.#shared.counts.connectionsReset += count;
    for (const stream of [...this.#streams]) stream.reset();
    return count;
  }

  stop(): void {
    this.reset();
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.close();
    this.#sockets.length = 0;
  }

  async #listenTcp(port: number): Promise<void> {
    const server = createServer({ pauseOnConnect: true }, (near) => {
      const far = dial({ host: this.#way.target, port });
      const peer = near.remoteAddress ?? '';
      const there = new FaultyStream(near, far, () => this.#between(peer, this.#way.target), this.#shared);
      const back = new FaultyStream(far, near, () => this.#between(this.#way.target, peer), this.#shared);
      for (const stream of [there, back]) {
        this.#streams.add(stream);
        stream.onClose(() => this.#streams.delete(stream));
      }
    });
    this.#servers.push(server);
    server.listen(port, this.#way.listen);
    await once(server, 'listening');
  }

  /** Each peer gets a socket of its own towards the server, so that answers find their way back. */
  async #listenUdp(port: number): Promise<void> {
    const front = createSocket('udp4');
    this.#sockets.push(front);
    const backs = new Map<string, UdpSocket>();
    front.on('message', (packet, from) => {
      const key = `${from.address}:${from.port}`;
      let back = backs.get(key);
      if (back === undefined) {
        back = createSocket('udp4');
        back.on('message', (answer) =>
          this.#packet(this.#way.target, from.address, () => front.send(answer, from.port, from.address)),
        );
        back.on('error', () => undefined);
        backs.set(key, back);
        this.#sockets.push(back);
      }
      const to = back;
      this.#packet(from.address, this.#way.target, () => to.send(packet, port, this.#way.target));
    });
    front.bind(port, this.#way.listen);
    await once(front, 'listening');
  }

  /** The weather as it is for what one address sends to the other. */
  #between(from: string, to: string): Weather {
    return this.#shared.parted.has(`${from}>${to}`) ? { ...this.#weather, blackHole: true } : this.#weather;
  }

  #packet(from: string, to: string, send: () => void): void {
    const { chance, counts } = this.#shared;
    const { delayMs, jitterMs, loss, blackHole } = this.#between(from, to);
    if (blackHole || (loss > 0 && chance() < loss)) {
      counts.packetsLost++;
      return;
    }
    const whenOpen = (): void => {
      // The way may have been closed while the packet was under way.
      if (this.#sockets.length > 0) send();
    };
    const wait = delayMs + (jitterMs === 0 ? 0 : chance() * jitterMs);
    if (wait === 0) return whenOpen();
    counts.packetsDelayed++;
    setTimeout(whenOpen, wait).unref();
  }
}

/** One direction of a connection. */
class FaultyStream {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #weather: () => Weather;
  readonly #shared: Shared;
  /** Chunks in their order, with the time at which each may leave; undefined is the end of the stream. */
  readonly #queue: { readonly atMs: number; readonly chunk: Buffer | undefined }[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, weather: () => Weather, shared: Shared) {
    this.#from = from;
    this.#to = to;
    this.#weather = weather;
    this.#shared = shared;
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => this.#arrived(chunk));
    from.on('end', () => this.#arrived(undefined));
    from.on('error', () => abort(to));
    to.on('drain', () => this.release());
    from.resume();
  }

  onClose(closed: () => void): void {
    this.#from.once('close', () => {
      closed();
      if (this.#queue.length === 0) this.#to.end();
    });
  }

  reset(): void {
    abort(this.#from);
    abort(this.#to);
  }

  #arrived(chunk: Buffer | undefined): void {
    const { chance, counts } = this.#shared;
    const { delayMs, jitterMs, loss, blackHole } = this.#weather();
    const late = loss > 0 && chance() < loss ? retransmitMs : 0;
    const waitMs = delayMs + (jitterMs === 0 ? 0 : chance() * jitterMs) + late;
    if (blackHole) counts.chunksHeld++;
    else if (waitMs > 0) counts.chunksDelayed++;
    const atMs = performance.now() + waitMs;
    this.#queue.push({ atMs: Math.max(atMs, this.#queue.at(-1)?.atMs ?? 0), chunk });
    this.#bytes += chunk?.length ?? 0;
    if (this.#bytes > bytesUnderWayMax) this.#from.pause();
    this.release();
  }

  /** Hands on what may leave by now. */
  release(): void {
    clearTimeout(this.#timer);
    while (this.#queue.length > 0 && !this.#weather().blackHole && !this.#to.writableNeedDrain) {
      const { atMs, chunk } = this.#queue[0]!;
      const waitMs = atMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.release(), waitMs);
        this.#timer.unref();
        return;
      }
      this.#queue.shift();
      if (this.#to.destroyed) continue;
      if (chunk === undefined) this.#to.end();
      else this.#to.write(chunk);
      this.#bytes -= chunk?.length ?? 0;
    }
    if (this.#bytes <= bytesUnderWayMax && this.#from.isPaused()) this.#from.resume();
  }
}

/** A socket that is not connected yet would wait for its connection to reset it, perhaps for ever. */
function abort(socket: Socket): void {
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
