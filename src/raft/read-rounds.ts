/**
 * Reads that share a round of heartbeats. A round costs the leader and each follower some 40 microseconds, however many reads
 * wait for it, so reads that arrive while one is under way gather for the next.
 *
 * A round that began with the first read to arrive after the last one would carry only that read: its clients have just been
 * answered and are about to ask again. So the next round waits until as many reads as usual are there, or a millisecond is over.
 * A single reader does not wait: one read is what is usual then.
 */
import type { Clock } from '../std/clock.ts';
import type { LogIndex } from './core/types.ts';
import type { Deferred } from './pending.ts';

const patienceMs = 1;

interface Round extends Deferred<LogIndex> {
  readonly point: Promise<LogIndex>;
  readonly id: number;
  reads: number;
}

export interface ReadRoundsEdges {
  readonly clock: Clock;
  /** Calls back as an input of the core, in a later turn. */
  readonly later: (callback: () => void) => void;
  /** Calls back as an input of the core. */
  readonly input: (callback: () => void) => void;
  /** Asks the core for a read point under this number. False: it does not lead. */
  readonly ask: (id: number) => boolean;
  readonly refusal: () => Error;
}

export class ReadRounds {
  readonly #edges: ReadRoundsEdges;
  #gathering: Round | undefined;
  #asked: Round | undefined;
  #nextId = 1;
  /** Of the last round; after a drop no less than half of what was usual before. */
  #usualReads = 0;
  #considering = false;
  #cancelWait: (() => void) | undefined;

  constructor(edges: ReadRoundsEdges) {
    this.#edges = edges;
  }

  /** How many reads wait. */
  get size(): number {
    return (this.#gathering?.reads ?? 0) + (this.#asked?.reads ?? 0);
  }

  /** A read point for the caller: the same promise for all reads of a round. */
  join(): Promise<LogIndex> {
    this.#gathering ??= this.#newRound();
    this.#gathering.reads++;
    this.#considerLater();
    return this.#gathering.point;
  }

  /** The round of that number is over: the caller settles it. Undefined for one that is not under way. */
  take(id: number): Deferred<LogIndex> | undefined {
    const round = this.#asked;
    if (round?.id !== id) return undefined;
    this.#asked = undefined;
    if (this.#gathering !== undefined) this.#considerLater();
    return round;
  }

  rejectAll(reason: () => Error): void {
    this.#cancelWait?.();
    this.#gathering?.reject(reason());
    this.#asked?.reject(reason());
    this.#gathering = undefined;
    this.#asked = undefined;
  }

  #newRound(): Round {
    const { promise: point, ...deferred } = withResolvers<LogIndex>();
    return { ...deferred, point, id: this.#nextId++, reads: 0 };
  }

  #considerLater(): void {
    if (this.#considering) return;
    this.#considering = true;
    this.#edges.later(() => {
      this.#considering = false;
      this.#consider();
    });
  }

  #consider(): void {
    if (this.#gathering === undefined || this.#asked !== undefined) return;
    if (this.#gathering.reads >= this.#usualReads) return this.#start();
    this.#cancelWait ??= this.#edges.clock.after(patienceMs, () => this.#edges.input(() => this.#start()));
  }

  #start(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    const round = this.#gathering;
    if (round === undefined) return;
    this.#gathering = undefined;
    this.#asked = round;
    this.#usualReads = Math.max(round.reads, this.#usualReads >> 1);
    if (!this.#edges.ask(round.id)) this.take(round.id)?.reject(this.#edges.refusal());
  }
}

function withResolvers<T>(): Deferred<T> & { readonly promise: Promise<T> } {
  let resolve!: (value: T) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
