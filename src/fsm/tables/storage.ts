/**
 * What the tables need of a disk: an ordered map from text keys to bytes, changed in transactions.
 *
 * LMDB is the real one, a sorted map in memory the simulated one; the store above cannot tell them apart, and one suite
 * of tests (test/fsm/tables/storage.test.ts) holds both to the same meaning.
 *
 * Keys are JavaScript strings and are ordered by their UTF-8 bytes (`memcmp`), not by UTF-16 units.
 */
export interface Storage {
  /** The value, or undefined. The bytes are the caller's to keep. */
  get(key: string): Uint8Array | undefined;
  /** All entries whose key begins with `prefix`, in key order. Do not write while iterating: collect first. */
  range(prefix: string, options?: RangeOptions): Iterable<StorageEntry>;
  /** Only inside `transact`. */
  put(key: string, value: Uint8Array): void;
  /** Only inside `transact`. */
  remove(key: string): void;
  /** Runs `work` as one transaction: all of its writes become visible together, or, if it throws, none. */
  transact<T>(work: () => T): T;
  close(): Promise<void>;
}

export interface RangeOptions {
  readonly reverse?: boolean;
  readonly limit?: number;
  /** Start behind this key (a full key, not a suffix); with `reverse`, before it. */
  readonly after?: string;
}

export interface StorageEntry {
  readonly key: string;
  readonly value: Uint8Array;
}
