/**
 * The checkers' own record of what is durable on a server, made from the bytes that reached its disk, not from what the code under
 * test believes.
 */
import { crc32 } from 'node:zlib';
import type { Configuration, HardState } from '../../src/raft/index.ts';
import { decodeEntry, decodeRecord } from '../../src/raft/log/records.ts';
import type { StoreOperation } from '../../src/raft/log/store.ts';

export interface MirroredEntry {
  readonly term: number;
  /** Over term, kind and payload. */
  readonly hash: number;
  readonly configuration: Configuration | undefined;
}

export class Mirror {
  readonly entries = new Map<number, MirroredEntry>();
  hardState: HardState = { term: 0, votedFor: '' };
  prefixIndex = 0;
  lastIndex = 0;
  /** Which log this is; undefined before it was begun. */
  logId: number | undefined;
  /** Called for each term and vote that become durable. */
  onHardState: (before: HardState, now: HardState) => void = () => {};
  /** Called for each entry that becomes durable. */
  onEntry: (index: number, entry: MirroredEntry) => void = () => {};

  durable(operations: readonly StoreOperation[]): void {
    for (const operation of operations) {
      const { key } = operation;
      if (typeof key === 'number') {
        if (operation.kind === 'put') this.#put(key, operation.value);
        else this.entries.delete(key);
      } else if (operation.kind === 'put') this.#named(key, operation.value);
    }
    this.lastIndex = Math.max(this.prefixIndex, this.#contiguousEnd());
  }

  /** Is the entry of `term` at `index` on this disk (or covered by what precedes its log)? */
  has(index: number, term: number): boolean {
    return index <= this.prefixIndex || this.entries.get(index)?.term === term;
  }

  #put(index: number, bytes: Uint8Array): void {
    const decoded = decodeEntry(bytes, index, undefined);
    if (decoded === undefined) return;
    const { entry } = decoded;
    const configuration = entry.kind === 'configuration' ? entry.configuration : undefined;
    const payload = entry.kind === 'command' ? entry.data : JSON.stringify(configuration ?? null);
    const mirrored = { term: entry.term, hash: crc32(payload, crc32(`${entry.term} ${entry.kind}`)), configuration };
    this.entries.set(index, mirrored);
    this.onEntry(index, mirrored);
  }

  #named(key: string, bytes: Uint8Array): void {
    if (key === 'identity') this.logId = (decodeRecord(bytes) as { logId?: number }).logId ?? 0;
    if (key === 'hardState') {
      const before = this.hardState;
      this.hardState = decodeRecord(bytes) as HardState;
      this.onHardState(before, this.hardState);
    }
    if (key === 'prefix') this.prefixIndex = (decodeRecord(bytes) as { index: number }).index;
  }

  #contiguousEnd(): number {
    let end = Math.max(this.prefixIndex, Math.min(this.lastIndex, this.prefixIndex + this.entries.size));
    while (end > this.prefixIndex && !this.entries.has(end)) end--;
    while (this.entries.has(end + 1)) end++;
    return end;
  }
}
