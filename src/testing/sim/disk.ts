/**
 * A disk that remembers what a crash would leave. A commit takes time; until it is done nothing of it is durable, and a crash leaves
 * nothing, all, or a prefix of it. It can fail (and then, like a real one, has written who knows what), stall, be full, flip bits, and write in the
 * wrong place or not at all.
 */
import type { LogStore, StoreKey, StoreOperation } from '../../raft/index.ts';
import type { Random } from '../../std/random.ts';

export interface DiskEvents {
  /** Runs the callback after a time, unless the server dies first. */
  later(delayMs: number, callback: () => void): void;
  /** These operations are durable now. */
  durable(operations: readonly StoreOperation[]): void;
  /** A commit of so many operations ends. A number: the process dies here (call `crash` at once), and so many of them are written. */
  commitEnds?(operations: number): number | undefined;
  /** It does. */
  dies?(): void;
}

export class SimDisk {
  readonly records = new Map<StoreKey, Uint8Array>();
  /** Milliseconds that a commit takes at the mean. */
  latencyMs: number;
  /** Commits take this much longer until then (a stall), in addition. */
  stalledUntilMs = 0;
  /** The next commit fails. */
  failNext = false;
  /** Every commit fails until then. */
  fullUntilMs = 0;
  /** What stood at a key before its present value: an old page. */
  readonly #earlier = new Map<StoreKey, Uint8Array>();
  /** How much of the commit under way a crash leaves, if that is not left to chance. */
  #kept: number | undefined;
  #inflight: readonly StoreOperation[] | undefined;
  readonly #random: Random;
  readonly #events: DiskEvents;
  readonly #now: () => number;

  constructor(random: Random, latencyMs: number, now: () => number, events: DiskEvents) {
    this.#random = random.stream('disk');
    this.latencyMs = latencyMs;
    this.#now = now;
    this.#events = events;
  }

  get commitIsUnderWay(): boolean {
    return this.#inflight !== undefined;
  }

  /** What a process sees of it. A new one for each start. */
  open(): LogStore {
    return {
      get: (key) => this.records.get(key),
      bounds: () => this.#bounds(),
      range: (first, last) => this.#range(first, last),
      commit: (operations) => this.#commit(operations),
      close: async () => {},
    };
  }

  /** The process died, or the power went: what was under way may be there, in part. */
  crash(): void {
    const operations = this.#inflight;
    this.#inflight = undefined;
    this.failNext = false;
    if (operations === undefined) return;
    const kept = this.#kept ?? this.#random.pick([0, 0, operations.length, this.#random.int(0, operations.length)]);
    this.#kept = undefined;
    this.#apply(operations.slice(0, kept));
  }

  /** The disk is replaced by an empty one; nothing writes to it now. */
  replace(): void {
    this.records.clear();
    this.#earlier.clear();
  }

  /** Damages one bit of one entry after the log's prefix. */
  flipBit(prefixIndex: number): StoreKey | undefined {
    const keys = this.#entriesAfter(prefixIndex);
    if (keys.length === 0) return undefined;
    const key = this.#random.pick(keys);
    const bytes = new Uint8Array(this.records.get(key)!);
    const at = this.#random.int(0, bytes.length - 1);
    bytes[at] = bytes[at]! ^ (1 << this.#random.int(0, 7));
    this.records.set(key, bytes);
    return key;
  }

  /** A write went to the place of another entry, and is missing at its own. */
  misdirect(prefixIndex: number): StoreKey | undefined {
    const keys = this.#entriesAfter(prefixIndex);
    if (keys.length < 2) return undefined;
    const [from, to] = this.#random.shuffle(keys) as [number, number];
    this.records.set(to, this.records.get(from)!);
    this.#becomeOld(from);
    return to;
  }

  /**
   * An entry that was replaced is what it was before. Only one with an entry after it: that the very last write never reached the
   * disk is a lie that no reader of this disk alone can find.
   */
  goStale(prefixIndex: number): StoreKey | undefined {
    const keys = this.replacedEntries(prefixIndex);
    if (keys.length === 0) return undefined;
    const key = this.#random.pick(keys);
    this.#becomeOld(key);
    return key;
  }

  /** The end of the log is gone, from an entry on that the state has. Told is the first one that is missing. */
  shorten(prefixIndex: number, appliedIndex: number): StoreKey | undefined {
    const keys = this.#entriesAfter(prefixIndex);
    const applied = keys.filter((key) => key <= appliedIndex);
    if (applied.length === 0) return undefined;
    const from = this.#random.pick(applied);
    for (const key of keys) if (key >= from) this.records.delete(key);
    return from;
  }

  /** Those that `goStale` can hit. */
  replacedEntries(prefixIndex: number): number[] {
    return this.#entriesAfter(prefixIndex).filter((key) => {
      const old = this.#earlier.get(key);
      return old !== undefined && this.records.has(key + 1) && !equal(old, this.records.get(key)!);
    });
  }

  #becomeOld(key: number): void {
    const old = this.#earlier.get(key);
    if (old === undefined) this.records.delete(key);
    else this.records.set(key, old);
  }

  #entriesAfter(prefixIndex: number): number[] {
    return [...this.records.keys()].filter((key): key is number => typeof key === 'number' && key > prefixIndex);
  }

  #commit(operations: readonly StoreOperation[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#inflight = operations;
      const stall = Math.max(0, this.stalledUntilMs - this.#now());
      const latency = this.latencyMs * (0.2 - Math.log(1 - this.#random.next())) + stall;
      this.#events.later(latency, () => {
        this.#kept = this.#events.commitEnds?.(operations.length);
        if (this.#kept !== undefined) return this.#events.dies?.();
        this.#inflight = undefined;
        const full = this.fullUntilMs > this.#now();
        if (this.failNext || full) {
          this.failNext = false;
          this.#apply(operations.slice(0, this.#random.int(0, operations.length)));
          reject(new Error(full ? 'ENOSPC: simulated' : 'EIO: simulated'));
        } else {
          this.#apply(operations);
          resolve();
        }
      });
    });
  }

  #apply(operations: readonly StoreOperation[]): void {
    for (const operation of operations) {
      const present = this.records.get(operation.key);
      if (present !== undefined) this.#earlier.set(operation.key, present);
      if (operation.kind === 'put') this.records.set(operation.key, operation.value);
      else this.records.delete(operation.key);
    }
    this.#events.durable(operations);
  }

  #bounds(): { first: number; last: number } | undefined {
    let first = Number.POSITIVE_INFINITY;
    let last = Number.NEGATIVE_INFINITY;
    for (const key of this.records.keys()) {
      if (typeof key !== 'number') continue;
      first = Math.min(first, key);
      last = Math.max(last, key);
    }
    return last < first ? undefined : { first, last };
  }

  *#range(first: number, last: number): Iterable<readonly [number, Uint8Array]> {
    for (let key = first; key <= last; key++) {
      const value = this.records.get(key);
      if (value !== undefined) yield [key, value];
    }
  }
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);
