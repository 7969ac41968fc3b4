/** A network that loses, doubles, delays and reorders, and whose links can be cut in each direction. */
import type { CheckpointOffer, Message, Transport, TransportHandlers } from '../../raft/index.ts';
import type { Random } from '../../std/random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Rates are shares of all messages; delays are drawn from an exponential distribution above the least one. */
export interface NetworkWeather {
  readonly lossRate: number;
  readonly duplicateRate: number;
  /** Late by up to three seconds, and so out of order. */
  readonly lateRate: number;
  readonly delayMsMin: number;
  readonly delayMsMean: number;
}

export interface NetworkEvents {
  sent(message: Message): void;
  /** A server handles something that arrived; it may be paused, or dead and another by now. Undefined: nobody is there. */
  arrive(to: string, handle: (handlers: TransportHandlers) => void): void;
  mark(name: string): void;
}

const chunkBytes = 64;

/** A path that carries only so much: what is sent waits its turn in a queue, and what the queue has no room for is lost. */
export interface Clog {
  readonly bytesPerMs: number;
  readonly queueBytesMax: number;
}

/** About what a message takes on the wire beside its entries, and an entry beside its payload. */
const envelopeBytes = 60;
const entryBytes = 10;

function bytesOf(message: Message): number {
  let bytes = envelopeBytes;
  if (message.kind !== 'append') return bytes;
  for (const entry of message.entries) bytes += entryBytes + (entry.kind === 'command' ? entry.data.length : 0);
  return bytes;
}

export class SimNetwork {
  /** While the faults last. */
  lossRate: number;
  duplicateRate: number;
  lateRate: number;
  /** One bit of the next chunk of a checkpoint is another on arrival. */
  corruptNext = false;
  readonly #weather: NetworkWeather;
  readonly #random: Random;
  readonly #time: VirtualTime;
  readonly #events: NetworkEvents;
  readonly #cut = new Map<string, number>();
  /** What waits on links that are held, in the order of its arrival. */
  readonly #held = new Map<string, (() => void)[]>();
  /** `freeAtMs`: when all that is in the queue will have passed. */
  readonly #clogged = new Map<string, Clog & { freeAtMs: number }>();

  constructor(weather: NetworkWeather, random: Random, time: VirtualTime, events: NetworkEvents) {
    this.#weather = weather;
    this.#random = random.stream('network');
    this.#time = time;
    this.#events = events;
    this.lossRate = weather.lossRate;
    this.duplicateRate = weather.duplicateRate;
    this.lateRate = weather.lateRate;
  }

  cut(from: string, to: string): void {
    const link = `${from}>${to}`;
    this.#cut.set(link, (this.#cut.get(link) ?? 0) + 1);
  }

  mend(from: string, to: string): void {
    const link = `${from}>${to}`;
    const cuts = (this.#cut.get(link) ?? 0) - 1;
    if (cuts > 0) this.#cut.set(link, cuts);
    else this.#cut.delete(link);
  }

  /** Nothing on this link arrives until it is released, and then all at once: a black hole that gives back what it took. */
  hold(from: string, to: string): void {
    this.#held.set(`${from}>${to}`, []);
  }

  release(from: string, to: string): void {
    const waiting = this.#held.get(`${from}>${to}`) ?? [];
    this.#held.delete(`${from}>${to}`);
    for (const arrive of waiting) arrive();
  }

  clog(from: string, to: string, clog: Clog): void {
    this.#clogged.set(`${from}>${to}`, { ...clog, freeAtMs: this.#time.nowMs });
  }

  /** What waits in the queue still comes when it would have come. */
  unclog(from: string, to: string): void {
    this.#clogged.delete(`${from}>${to}`);
  }

  heal(): void {
    this.#held.clear();
    this.#clogged.clear();
    this.#cut.clear();
    this.corruptNext = false;
    this.lossRate = 0;
    this.duplicateRate = 0;
    this.lateRate = 0;
  }

  passes(from: string, to: string): boolean {
    return !this.#cut.has(`${from}>${to}`);
  }

  /** The edge of one incarnation of a server; `alive` turns false when it dies. */
  transport(alive: () => boolean, started: (handlers: TransportHandlers) => void): Transport {
    return {
      start: async (handlers) => started(handlers),
      setPeers: () => {},
      send: (message) => {
        if (alive()) this.#send(message);
      },
      sendCheckpoint: (offer, read) => this.#sendCheckpoint(offer, read, alive),
      stop: async () => {},
    };
  }

  #delayMs(): number {
    const { delayMsMin, delayMsMean } = this.#weather;
    return delayMsMin - delayMsMean * Math.log(1 - this.#random.next());
  }

  /** How long so many bytes wait for their turn; undefined: the queue is full. */
  #waitMs(from: string, to: string, bytes: number): number | undefined {
    const clog = this.#clogged.get(`${from}>${to}`);
    if (clog === undefined) return 0;
    const { nowMs } = this.#time;
    const startsAtMs = Math.max(nowMs, clog.freeAtMs);
    if ((startsAtMs - nowMs) * clog.bytesPerMs > clog.queueBytesMax) {
      this.#events.mark('network: queue full');
      return undefined;
    }
    if (startsAtMs > nowMs) this.#events.mark('network: queued');
    clog.freeAtMs = startsAtMs + bytes / clog.bytesPerMs;
    return clog.freeAtMs - nowMs;
  }

  #send(message: Message): void {
    this.#events.sent(message);
    if (this.#random.chance(this.lossRate)) return this.#events.mark('network: lost');
    const waitMs = this.#waitMs(message.from, message.to, bytesOf(message));
    if (waitMs === undefined) return;
    const copies = this.#random.chance(this.duplicateRate) ? 2 : 1;
    if (copies === 2) this.#events.mark('network: doubled');
    for (let copy = 0; copy < copies; copy++) {
      let delay = waitMs + this.#delayMs();
      if (this.#random.chance(this.lateRate)) {
        delay += this.#random.next() * 3_000;
        this.#events.mark('network: late');
      }
      this.#time.schedule(delay, () => {
        if (!this.passes(message.from, message.to)) return this.#events.mark('network: cut');
        const arrive = (): void => this.#events.arrive(message.to, (handlers) => handlers.messages([message]));
        const held = this.#held.get(`${message.from}>${message.to}`);
        if (held === undefined) arrive();
        else held.push(arrive);
      });
    }
  }

  /** The conversation of a transfer, each turn of which may be the last. */
  async #sendCheckpoint(
    offer: CheckpointOffer,
    read: (offset: number, bytesMax: number) => Promise<Uint8Array>,
    alive: () => boolean,
  ): Promise<void> {
    const receiver = await this.#turn(offer, (handlers) => handlers.checkpointOffered(offer));
    if (receiver === undefined) return;
    try {
      for (let offset = receiver.offset; offset < offer.checkpoint.sizeBytes; ) {
        if (!alive()) throw new Error('the sender died');
        const chunk = this.#carried(await read(offset, chunkBytes));
        await this.#turn(offer, () => receiver.write(chunk), chunk.length);
        offset += chunk.length;
      }
      await this.#turn(offer, () => receiver.finish());
      this.#events.mark('checkpoint: installed');
    } catch (error) {
      await receiver.abort();
      this.#events.mark('checkpoint: transfer broke');
      throw error;
    }
  }

  #carried(chunk: Uint8Array): Uint8Array {
    if (!this.corruptNext) return chunk;
    this.corruptNext = false;
    this.#events.mark('network: chunk damaged');
    const damaged = new Uint8Array(chunk);
    const at = this.#random.int(0, damaged.length - 1);
    damaged[at] = damaged[at]! ^ (1 << this.#random.int(0, 7));
    return damaged;
  }

  /** One message there and its effect; rejects if the link is cut or nobody answers in time. */
  #turn<T>(offer: CheckpointOffer, work: (handlers: TransportHandlers) => Promise<T>, bytes = 0): Promise<T> {
    const waitMs = this.#waitMs(offer.from, offer.to, envelopeBytes + bytes);
    if (waitMs !== undefined && waitMs > 0) this.#events.mark('checkpoint: through a clogged path');
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error('no answer'));
      this.#time.schedule(2_000, fail);
      if (waitMs === undefined) return fail();
      this.#time.schedule(waitMs + this.#delayMs(), () => {
        if (!this.passes(offer.from, offer.to) || this.#random.chance(this.lossRate)) return fail();
        this.#events.arrive(offer.to, (handlers) => work(handlers).then(resolve, reject));
      });
    });
  }
}
