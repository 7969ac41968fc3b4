/**
 * The simulated disk: a sorted array of keys beside a map. Writes shift the array, which is cheap at the sizes a
 * simulation has. Keys are kept as one character a UTF-8 byte, so that `<` on them is `memcmp`.
 */
import { assert } from '../../std/assert.ts';
import type { RangeOptions, Storage, StorageEntry } from './storage.ts';

interface MemoryEntry extends StorageEntry {
  readonly bytes: string;
}

export class MemoryStorage implements Storage {
  #order: string[] = [];
  readonly #entries = new Map<string, MemoryEntry>();
  /** What to do, last first, to take the running transaction back; null outside of one. */
  #undo: (() => void)[] | null = null;

  get(key: string): Uint8Array | undefined {
    return this.#entries.get(bytesOf(key))?.value.slice();
  }

  *range(prefix: string, options: RangeOptions = {}): Iterable<StorageEntry> {
    const bytes = bytesOf(prefix);
    let low = this.#position(bytes);
    let high = this.#position(`${bytes}\xff`);
    if (options.after !== undefined) {
      const after = bytesOf(options.after);
      const at = this.#position(after);
      if (options.reverse) high = Math.min(high, at);
      else low = Math.max(low, this.#order[at] === after ? at + 1 : at);
    }
    const found = this.#order.slice(low, Math.max(low, high));
    if (options.reverse) found.reverse();
    for (const name of found.slice(0, options.limit ?? found.length)) {
      const entry = this.#entries.get(name);
      assert(entry !== undefined);
      yield { key: entry.key, value: entry.value.slice() };
    }
  }

  put(key: string, value: Uint8Array): void {
    const undo = this.#inTransaction();
    const bytes = bytesOf(key);
    const before = this.#entries.get(bytes);
    this.#set(bytes, { bytes, key, value: value.slice() });
    undo.push(() => this.#set(bytes, before));
  }

  remove(key: string): void {
    const undo = this.#inTransaction();
    const bytes = bytesOf(key);
    const before = this.#entries.get(bytes);
    if (before === undefined) return;
    this.#set(bytes, undefined);
    undo.push(() => this.#set(bytes, before));
  }

  transact<T>(work: () => T): T {
    assert(this.#undo === null, 'transactions do not nest');
    this.#undo = [];
    try {
      return work();
    } catch (error) {
      for (const step of this.#undo.reverse()) step();
      throw error;
    } finally {
      this.#undo = null;
    }
  }

  async close(): Promise<void> {}

  #inTransaction(): (() => void)[] {
    assert(this.#undo !== null, 'a write outside of a transaction');
    return this.#undo;
  }

  #set(bytes: string, entry: MemoryEntry | undefined): void {
    const at = this.#position(bytes);
    const present = this.#order[at] === bytes;
    if (entry === undefined) {
      this.#entries.delete(bytes);
      if (present) this.#order.splice(at, 1);
    } else {
      this.#entries.set(bytes, entry);
      if (!present) this.#order.splice(at, 0, bytes);
    }
  }

  /** Where `bytes` is, or would be inserted. */
  #position(bytes: string): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#order[middle]! < bytes) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function bytesOf(key: string): string {
  return Buffer.from(key, 'utf8').toString('latin1');
}
