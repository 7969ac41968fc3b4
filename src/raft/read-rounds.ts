/**
 * Reads that share a round of heartbeats. A round costs the leader and each follower some 40 microseconds, however many reads
 * wait for it, so reads that arrive while one is under way gather for the next.
 *
 * A round that began with the first read to arrive after the last one would carry only that read: its clients have just been
 * answered and are about to ask again. One that waited for all of them would leave the leader with nothing to do until it
 * is over. So the next round waits until half of the readers are there, or a millisecond is over: while one half's round is under way
 * the other half is answered and asks again. A single reader does not wait.
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
  /** Half of the readers there were when the last round ended; after a drop no less than half of what it was before. */
  #wanted = 1;
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
    const { point } = this.#gathering;
    this.#gathering.reads++;
    this.#consider();
    return point;
  }

  /** The round of that number is over: the caller settles it. Undefined for one that is not under way. */
  take(id: number): Deferred<LogIndex> | undefined {
    const round = this.#asked;
    if (round?.id !== id) return undefined;
    this.#asked = undefined;
    this.#wanted = Math.max((round.reads + (this.#gathering?.reads ?? 0) + 1) >> 1, this.#wanted >> 1);
    // Before the caller answers those of this round: their answers are written while the next one is under way.
    this.#consider();
    return round;
  }

  rejectAll(reason: () => Error): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    this.#gathering?.reject(reason());
    this.#asked?.reject(reason());
    this.#gathering = undefined;
    this.#asked = undefined;
  }

  #newRound(): Round {
    const { promise: point, ...deferred } = withResolvers<LogIndex>();
    return { ...deferred, point, id: this.#nextId++, reads: 0 };
  }

  #consider(): void {
    if (this.#gathering === undefined || this.#asked !== undefined) return;
    // At once, also when more of the requests that arrived together are about to join: those are the other half.
    if (this.#gathering.reads >= this.#wanted) this.#edges.input(() => this.#start());
    else this.#cancelWait ??= this.#edges.clock.after(patienceMs, () => this.#edges.input(() => this.#start()));
  }

  #start(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    const round = this.#gathering;
    if (round === undefined) return;
    this.#gathering = undefined;
    this.#asked = round;
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
