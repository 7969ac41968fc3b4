/**
 * The rows that were written last, of tables whose rows are written again and again (locks, counters, leases): the next
 * write to one needs neither the storage nor the decoder to know what was there. Small rows only, and not many of them.
 *
 * A row is kept as it was written, and a server that was just started reads it back from its bytes: only tables whose rows are
 * the same both ways may use it (definitions.ts, `rewritten`).
 */
import type { RowKey } from './row-key.ts';

export interface WrittenRow {
  readonly bytes: Uint8Array;
  readonly row: unknown;
}

const rowsMax = 1_024;
const rowBytesMax = 1_024;

export class WrittenRows {
  readonly #rows = new Map<RowKey, WrittenRow>();

  get(key: RowKey): WrittenRow | undefined {
    return this.#rows.get(key);
  }

  /** Call `delete` first: the newest are last. */
  add(key: RowKey, bytes: Uint8Array, row: unknown): void {
    if (bytes.length > rowBytesMax) return;
    this.#rows.set(key, { bytes, row });
    if (this.#rows.size <= rowsMax) return;
    for (const oldest of this.#rows.keys()) {
      this.#rows.delete(oldest);
      return;
    }
  }

  delete(key: RowKey): void {
    this.#rows.delete(key);
  }

  clear(): void {
    this.#rows.clear();
  }
}
