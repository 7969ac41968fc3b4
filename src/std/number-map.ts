/**
 * A map from numbers to things that come and go by the thousand a second: requests that wait for their answers, by number.
 *
 * Not a `Map`: one that is filled and emptied all the time is made anew every few hundred entries, and V8's old table keeps a pointer to
 * the new one, and what it held at that moment. Once one such table has grown old enough to be freed with the old objects only, it
 * keeps the next one alive until then, and so on: most requests then outlive every collection of young garbage, with all
 * they hold (measured: 0.7 KB a write on a leader, 5 KB on a follower that passes writes on). Here a slot is empty once its entry has
 * left, and so are those of a table that was outgrown.
 *
 * Open addressing with linear probing; an entry that leaves is filled up from behind, so there are no tombstones.
 */
import { assert } from './assert.ts';

const slotsMin = 64;
/** No key: keys are safe integers from 0. */
const none = -1;

export class NumberMap<T> {
  #keys = new Float64Array(slotsMin).fill(none);
  #values: (T | undefined)[] = emptySlots(slotsMin);
  #mask = slotsMin - 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): T | undefined {
    return this.#values[this.#find(key)];
  }

  set(key: number, value: T): void {
    assert(Number.isSafeInteger(key) && key >= 0, 'a key is a safe integer from 0');
    let at = this.#find(key);
    if (this.#keys[at] === none) {
      if (this.#size * 4 >= this.#keys.length * 3) {
        this.#resize(this.#keys.length * 2);
        at = this.#find(key);
      }
      this.#size++;
      this.#keys[at] = key;
    }
    this.#values[at] = value;
  }

  /** Removes an entry and returns what it was; undefined if there was none. */
  take(key: number): T | undefined {
    const at = this.#find(key);
    if (this.#keys[at] === none) return undefined;
    const value = this.#values[at];
    this.#vacate(at);
    this.#size--;
    // After a burst the room is given back.
    if (this.#size === 0 && this.#keys.length > slotsMin) this.#resize(slotsMin);
    return value;
  }

  /** What is there, in the order of the keys. */
  values(): T[] {
    const keys = this.#keys.filter((key) => key !== none).sort();
    return Array.from(keys, (key) => this.get(key)!);
  }

  clear(): void {
    this.#keys.fill(none);
    this.#values.fill(undefined);
    this.#size = 0;
  }

  /** Where the key is, or the empty slot where it belongs. */
  #find(key: number): number {
    let at = this.#homeOf(key);
    while (this.#keys[at] !== key && this.#keys[at] !== none) at = (at + 1) & this.#mask;
    return at;
  }

  #homeOf(key: number): number {
    return key & this.#mask;
  }

  /** Empties a slot; entries that stand behind it because theirs was taken move up. */
  #vacate(slot: number): void {
    let hole = slot;
    for (let at = (hole + 1) & this.#mask; this.#keys[at] !== none; at = (at + 1) & this.#mask) {
      const home = this.#homeOf(this.#keys[at]!);
      const mayMove = ((at - home) & this.#mask) >= ((at - hole) & this.#mask);
      if (!mayMove) continue;
      this.#keys[hole] = this.#keys[at]!;
      this.#values[hole] = this.#values[at];
      hole = at;
    }
    this.#keys[hole] = none;
    this.#values[hole] = undefined;
  }

  #resize(slots: number): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#keys = new Float64Array(slots).fill(none);
    this.#values = emptySlots(slots);
    this.#mask = slots - 1;
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === none) continue;
      const at = this.#find(keys[i]!);
      this.#keys[at] = keys[i]!;
      this.#values[at] = values[i];
    }
    values.fill(undefined);
  }
}

const emptySlots = <T>(slots: number): (T | undefined)[] => new Array<T | undefined>(slots).fill(undefined);
