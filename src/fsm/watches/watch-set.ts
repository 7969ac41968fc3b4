/**
 * Who waits for what. A read notes the keys and key prefixes its answer depends on; a write to a key wakes the readers
 * of that very key and of every prefix above it, and nobody else.
 *
 * Readers of prefixes are found by trying each *length* of prefix that anyone waits for: for a key of 30 characters and
 * waiters on three different lengths that is three look-ups, however many waiters there are.
 *
 * A waiter is told once and then forgotten everywhere. Waking is in two steps: `fire` only marks and queues, within the
 * apply; `WakeQueue` calls the waiters back in slices, so that ten thousand answers do not hold up a heartbeat.
 */
export interface Footprint {
  readonly keys: ReadonlySet<string>;
  readonly prefixes: ReadonlySet<string>;
}

export interface Waiter {
  /** Called once, outside of any transaction. */
  wake(cause: WakeCause): void;
}

/** `changed`: something in the footprint was written. `replaced`: the whole state was (a restore): answer at once. */
export type WakeCause = 'changed' | 'replaced';

export class WatchSet {
  readonly #byKey = new Map<string, Set<Waiter>>();
  readonly #byPrefix = new Map<string, Set<Waiter>>();
  /** How many watched prefixes have each length. */
  readonly #prefixLengths = new Map<number, number>();
  readonly #footprints = new Map<Waiter, Footprint>();

  get size(): number {
    return this.#footprints.size;
  }

  add(footprint: Footprint, waiter: Waiter): void {
    this.remove(waiter);
    this.#footprints.set(waiter, footprint);
    for (const key of footprint.keys) join(this.#byKey, key, waiter);
    for (const prefix of footprint.prefixes) {
      if (join(this.#byPrefix, prefix, waiter)) {
        this.#prefixLengths.set(prefix.length, (this.#prefixLengths.get(prefix.length) ?? 0) + 1);
      }
    }
  }

  /** Forgets a waiter; harmless when it is not there. */
  remove(waiter: Waiter): void {
    const footprint = this.#footprints.get(waiter);
    if (footprint === undefined) return;
    this.#footprints.delete(waiter);
    for (const key of footprint.keys) leave(this.#byKey, key, waiter);
    for (const prefix of footprint.prefixes) {
      if (!leave(this.#byPrefix, prefix, waiter)) continue;
      const count = (this.#prefixLengths.get(prefix.length) ?? 0) - 1;
      if (count > 0) this.#prefixLengths.set(prefix.length, count);
      else this.#prefixLengths.delete(prefix.length);
    }
  }

  /** Takes out and returns the waiters that a write to `key` concerns. */
  fire(key: string): Waiter[] {
    if (this.#footprints.size === 0) return [];
    // A set: one waiter may watch both a key and a prefix above it.
    const woken = new Set<Waiter>(this.#byKey.get(key));
    for (const length of this.#prefixLengths.keys()) {
      if (length > key.length) continue;
      const waiters = this.#byPrefix.get(key.slice(0, length));
      for (const waiter of waiters ?? []) woken.add(waiter);
    }
    for (const waiter of woken) this.remove(waiter);
    return [...woken];
  }

  /** Takes out and returns everybody. */
  fireAll(): Waiter[] {
    const woken = [...this.#footprints.keys()];
    this.#footprints.clear();
    this.#byKey.clear();
    this.#byPrefix.clear();
    this.#prefixLengths.clear();
    return woken;
  }
}

/** True if the set of `name` is new. */
function join(sets: Map<string, Set<Waiter>>, name: string, waiter: Waiter): boolean {
  const present = sets.get(name);
  if (present !== undefined) {
    present.add(waiter);
    return false;
  }
  sets.set(name, new Set([waiter]));
  return true;
}

/** True if the set of `name` is gone with its last waiter. */
function leave(sets: Map<string, Set<Waiter>>, name: string, waiter: Waiter): boolean {
  const present = sets.get(name);
  if (present === undefined) return false;
  present.delete(waiter);
  if (present.size > 0) return false;
  sets.delete(name);
  return true;
}
