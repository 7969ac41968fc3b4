/**
 * The log over a store: entries under their index, and four named records.
 *
 * The order of operations in each commit is such that every prefix of it is a valid log, because a crash may leave one: the
 * hard state first (terms in the log are never newer), removals from the end backwards, entries forwards; when the prefix
 * moves, its record first (entries below it are leftovers that recovery skips).
 */
import { assert } from '../../std/assert.ts';
import type { Persist } from '../core/persistence.ts';
import {
  type CheckpointMeta,
  type Configuration,
  type Entry,
  entryBytes,
  type LogIndex,
  type Term,
} from '../core/types.ts';
import { RaftError } from '../errors.ts';
import type { LogIdentity, RaftLog, RecoveredLog } from './log.ts';
import { decodeEntry, encodeEntries, encodeRecord } from './records.ts';
import { emptyPrefix, keys, type PrefixRecord, recover } from './recover.ts';
import type { LogStore, StoreKey, StoreOperation } from './store.ts';

/** Entries removed in one commit: bounds how long other writes wait behind it. */
const removalsMax = 1024;

export class StoredLog implements RaftLog {
  #recovered: RecoveredLog;
  readonly #store: LogStore;
  #prefix: PrefixRecord;
  #last: LogIndex;
  #lastCrc: number;
  #failure: RaftError | undefined;
  #busy = false;

  /** Reads and verifies everything. Throws `logCorrupt`. */
  constructor(store: LogStore) {
    this.#store = store;
    const { recovered, prefix, lastCrc } = recover(store);
    this.#recovered = recovered;
    this.#prefix = prefix;
    this.#last = recovered.lastIndex;
    this.#lastCrc = lastCrc;
  }

  get recovered(): RecoveredLog {
    return this.#recovered;
  }

  async initialize(identity: LogIdentity, bootstrap: Configuration | undefined): Promise<void> {
    assert(this.#recovered.identity === undefined, 'a log is initialized once');
    // The identity comes last and makes it a log. Without one, what is there is what a crash left of an earlier attempt.
    const operations: StoreOperation[] = [];
    for (let index = this.#last; index > 0; index--) operations.push({ kind: 'remove', key: index });
    operations.push({ kind: 'remove', key: keys.hardState });
    this.#lastCrc = emptyPrefix.crc;
    if (bootstrap !== undefined) {
      operations.push(put(keys.hardState, encodeRecord({ term: 1, votedFor: '' })));
      const entry = { kind: 'configuration', index: 1, term: 1, configuration: bootstrap } as const;
      operations.push(put(1, encodeEntries([entry], this.#lastCrc).records[0]!));
    }
    operations.push(put(keys.identity, encodeRecord(identity)));
    await this.#commit(operations);
    this.reload();
  }

  async rename(identity: LogIdentity): Promise<void> {
    await this.#commit([put(keys.identity, encodeRecord(identity))]);
    this.reload();
  }

  async write(persists: readonly Persist[], mayHold = false): Promise<void> {
    const operations: StoreOperation[] = [];
    let last = this.#last;
    let crc = this.#lastCrc;
    for (const { hardState, truncateFrom, entries } of persists) {
      if (hardState !== undefined) operations.push(put(keys.hardState, encodeRecord(hardState)));
      if (truncateFrom !== undefined) {
        for (let index = last; index >= truncateFrom; index--) operations.push({ kind: 'remove', key: index });
        if (truncateFrom <= last) {
          last = truncateFrom - 1;
          crc = this.#crcAt(last, operations);
        }
      }
      const encoded = encodeEntries(entries, crc);
      for (let i = 0; i < entries.length; i++) {
        const { index } = entries[i]!;
        assert(index === last + 1, `the log would have a gap: ${index} after ${last}`);
        operations.push(put(index, encoded.records[i]!));
        last = index;
      }
      ({ crc } = encoded);
    }
    await this.#commit(operations, mayHold);
    this.#last = last;
    this.#lastCrc = crc;
  }

  read(from: LogIndex, upTo: LogIndex, entriesMax: number, bytesMax: number): Entry[] {
    const entries: Entry[] = [];
    if (from <= this.#prefix.index) return entries;
    let bytes = 0;
    let expected = from;
    let chain: number | undefined;
    for (const [index, record] of this.#store.range(from, Math.min(upTo, from + entriesMax - 1))) {
      const decoded = index === expected ? decodeEntry(record, index, chain) : undefined;
      if (decoded === undefined) throw new RaftError('logCorrupt', { detail: `entry ${expected} does not verify` });
      bytes += entryBytes(decoded.entry);
      if (entries.length > 0 && bytes > bytesMax) break;
      entries.push(decoded.entry);
      chain = decoded.crc;
      expected++;
    }
    return entries;
  }

  async truncatePrefix(index: LogIndex, term: Term, configuration: Configuration): Promise<void> {
    if (index <= this.#prefix.index) return;
    assert(index <= this.#last, 'the prefix moves within the log');
    const prefix: PrefixRecord = { index, term, crc: this.#crcAt(index, []), base: { index, configuration } };
    await this.#commit([put(keys.prefix, encodeRecord(prefix))]);
    this.#prefix = prefix;
  }

  async beginInstall(checkpoint: CheckpointMeta): Promise<void> {
    await this.#commit([put(keys.installing, encodeRecord(checkpoint))]);
  }

  async finishInstall(checkpoint: CheckpointMeta): Promise<void> {
    const { index, term, configuration } = checkpoint;
    const own = this.read(index, index, 1, 0)[0];
    const agrees = index > this.#prefix.index && own?.term === term;
    const last = this.#last;
    const crc = agrees ? this.#crcAt(index, []) : 0;
    const prefix: PrefixRecord = { index, term, crc, base: { index, configuration } };
    const removals: StoreOperation[] = [];
    if (!agrees) for (let i = last; i > index; i--) removals.push({ kind: 'remove', key: i });
    await this.#commit([...removals, put(keys.prefix, encodeRecord(prefix)), { kind: 'remove', key: keys.installing }]);
    this.#prefix = prefix;
    if (!agrees) {
      this.#last = index;
      this.#lastCrc = 0;
    }
  }

  async cleanUp(): Promise<boolean> {
    const first = this.#store.bounds()?.first;
    if (first === undefined || first > this.#prefix.index) return false;
    const last = Math.min(this.#prefix.index, first + removalsMax - 1);
    const operations: StoreOperation[] = [];
    for (let i = first; i <= last; i++) operations.push({ kind: 'remove', key: i });
    await this.#commit(operations);
    return last < this.#prefix.index;
  }

  reload(): void {
    const { recovered, prefix, lastCrc } = recover(this.#store);
    this.#recovered = recovered;
    this.#prefix = prefix;
    this.#last = recovered.lastIndex;
    this.#lastCrc = lastCrc;
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  /** The chain value after entry `index`, which may be among the operations not yet committed. */
  #crcAt(index: LogIndex, pending: readonly StoreOperation[]): number {
    if (index === this.#prefix.index) return this.#prefix.crc;
    const found = pending.findLast((operation) => operation.key === index);
    const bytes = found?.kind === 'put' ? found.value : this.#store.get(index);
    const decoded = bytes === undefined ? undefined : decodeEntry(bytes, index, undefined);
    if (decoded === undefined) throw new RaftError('logCorrupt', { detail: `entry ${index} does not verify`, index });
    return decoded.crc;
  }

  async #commit(operations: readonly StoreOperation[], mayHold = false): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    assert(!this.#busy, 'writes to the log do not overlap');
    this.#busy = true;
    try {
      await this.#store.commit(operations, mayHold);
    } catch (cause) {
      this.#failure = new RaftError('storageFailed', { detail: String(cause) }, { cause });
      throw this.#failure;
    } finally {
      this.#busy = false;
    }
  }
}

const put = (key: StoreKey, value: Uint8Array): StoreOperation => ({ kind: 'put', key, value });
