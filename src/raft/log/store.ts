/**
 * What the log asks of a disk: a small ordered key-value store whose commits are durable when they say so. Segments of a
 * file are one; the simulated disk, with its crashes and lost writes, is the other. Everything above it is the same code.
 */

/**
 * Keys of entries are their indexes; everything else has a name. Entries are added after the last one and removed from either end;
 * one further up begins anew, and those before it may be forgotten.
 */
export type StoreKey = number | string;

export type StoreOperation =
  | { readonly kind: 'put'; readonly key: StoreKey; readonly value: Uint8Array }
  | { readonly kind: 'remove'; readonly key: StoreKey };

export interface LogStore {
  /** Sees only what is durable. */
  get(key: StoreKey): Uint8Array | undefined;
  /** Lowest and highest number key present. */
  bounds(): { readonly first: number; readonly last: number } | undefined;
  /** Number keys from `first` to `last`, in order; a missing one is skipped. */
  range(first: number, last: number): Iterable<readonly [number, Uint8Array]>;
  /**
   * Carries out the operations in order and resolves once they are on the disk (fsync). A crash before that leaves a *prefix* of
   * them, so the caller orders them such that each prefix is a valid log. After a rejection nothing is known: do not use it again.
   * `mayHold`: the caller has nothing else to do; a quick disk may be waited for on the spot.
   */
  commit(operations: readonly StoreOperation[], mayHold?: boolean): Promise<void>;
  close(): Promise<void>;
}
