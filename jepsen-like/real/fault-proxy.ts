/**
 * Delay, jitter, loss, resets and black holes where the kernel has no netem: every server advertises an address at which
 * this stands, TCP (Raft, RPC, gossip's streams) and UDP (gossip's packets), and hands on to the server.
 *
 *     server A ── 10.77.0.102:8300 ──> proxy, with the weather of server B ──> 10.77.0.2:8300, server B
 *
 * The weather is that of the way *to* a server, and of what comes back on the same connection. The order of a stream's bytes
 * is kept, as TCP keeps it: a lost segment is one that comes late. A packet that is lost is lost.
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

export const fair: Weather = { delayMs: 0, jitterMs: 0, loss: 0, blackHole: false };

const retransmitMs = 200;
/** A stream's source is not read while so many bytes are under way. */
const bytesUnderWayMax = 1 << 20;

export interface Way {
  readonly listen: string;
  readonly target: string;
  readonly tcpPorts: readonly number[];
  readonly udpPorts: readonly number[];
}

export class FaultProxy {
  readonly #chance: () => number;
  readonly #ways: FaultyWay[] = [];

  private constructor(chance: () => number) {
    this.#chance = chance;
  }

  /** `ways[i]` leads to server `i`. Resolves when all ports are listened on. */
  static async start(ways: readonly Way[], chance: () => number): Promise<FaultProxy> {
    const proxy = new FaultProxy(chance);
    try {
      for (const way of ways) proxy.#ways.push(await FaultyWay.open(way, proxy.#chance));
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
  readonly #chance: () => number;
  readonly #servers: Server[] = [];
  readonly #sockets: UdpSocket[] = [];
  readonly #streams = new Set<FaultyStream>();
  #weather = fair;

  private constructor(way: Way, chance: () => number) {
    this.#way = way;
    this.#chance = chance;
  }

  static async open(way: Way, chance: () => number): Promise<FaultyWay> {
    const opened = new FaultyWay(way, chance);
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
    for (const stream of this.#streams) stream.weatherChanged();
  }

  reset(): number {
    const { size } = this.#streams;
    for (const stream of [...this.#streams]) stream.reset();
    return size;
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
      const weather = (): Weather => this.#weather;
      const there = new FaultyStream(near, far, weather, this.#chance);
      const back = new FaultyStream(far, near, weather, this.#chance);
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
        back.on('message', (answer) => this.#packet(() => front.send(answer, from.port, from.address)));
        back.on('error', () => undefined);
        backs.set(key, back);
        this.#sockets.push(back);
      }
      const to = back;
      this.#packet(() => to.send(packet, port, this.#way.target));
    });
    front.bind(port, this.#way.listen);
    await once(front, 'listening');
  }

  #packet(send: () => void): void {
    const { delayMs, jitterMs, loss, blackHole } = this.#weather;
    if (blackHole || this.#chance() < loss) return;
    const whenOpen = (): void => {
      // The way may have been closed while the packet was under way.
      if (this.#sockets.length > 0) send();
    };
    const wait = delayMs + this.#chance() * jitterMs;
    if (wait === 0) whenOpen();
    else setTimeout(whenOpen, wait).unref();
  }
}

/** One direction of a connection. */
class FaultyStream {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #weather: () => Weather;
  readonly #chance: () => number;
  /** Chunks in their order, with the time at which each may leave; undefined is the end of the stream. */
  readonly #queue: { readonly atMs: number; readonly chunk: Buffer | undefined }[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, weather: () => Weather, chance: () => number) {
    this.#from = from;
    this.#to = to;
    this.#weather = weather;
    this.#chance = chance;
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => this.#arrived(chunk));
    from.on('end', () => this.#arrived(undefined));
    from.on('error', () => abort(to));
    to.on('drain', () => this.#release());
    from.resume();
  }

  onClose(closed: () => void): void {
    this.#from.once('close', () => {
      closed();
      if (this.#queue.length === 0) this.#to.end();
    });
  }

  weatherChanged(): void {
    this.#release();
  }

  reset(): void {
    abort(this.#from);
    abort(this.#to);
  }

  #arrived(chunk: Buffer | undefined): void {
    const { delayMs, jitterMs, loss } = this.#weather();
    const late = this.#chance() < loss ? retransmitMs : 0;
    const atMs = performance.now() + delayMs + this.#chance() * jitterMs + late;
    this.#queue.push({ atMs: Math.max(atMs, this.#queue.at(-1)?.atMs ?? 0), chunk });
    this.#bytes += chunk?.length ?? 0;
    if (this.#bytes > bytesUnderWayMax) this.#from.pause();
    this.#release();
  }

  /** Hands on what may leave by now. */
  #release(): void {
    clearTimeout(this.#timer);
    while (this.#queue.length > 0 && !this.#weather().blackHole && !this.#to.writableNeedDrain) {
      const { atMs, chunk } = this.#queue[0]!;
      const waitMs = atMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#release(), waitMs);
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
