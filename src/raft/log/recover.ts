/**
 * What a log tells when it is opened. Every record is read and verified before the server may vote with it: checksum, index,
 * chain, contiguity, terms that never fall. A record that fails stops the server; guessing would un-acknowledge writes.
 */
import type { TermBoundary } from '../core/log-view.ts';
import {
  type CheckpointMeta,
  type ConfigurationAt,
  emptyConfiguration,
  type HardState,
  type LogPosition,
} from '../core/types.ts';
import { RaftError } from '../errors.ts';
import type { LogIdentity, RecoveredLog } from './log.ts';
import { decodeEntry, decodeRecord } from './records.ts';
import type { LogStore } from './store.ts';

export const keys = {
  hardState: 'hardState',
  prefix: 'prefix',
  identity: 'identity',
  installing: 'installing',
} as const;

/** What is before the first entry; `crc` starts the chain. */
export interface PrefixRecord extends LogPosition {
  readonly crc: number;
  readonly base: ConfigurationAt;
}

export const emptyPrefix: PrefixRecord = {
  index: 0,
  term: 0,
  crc: 0,
  base: { index: 0, configuration: emptyConfiguration },
};

export interface Recovery {
  readonly recovered: RecoveredLog;
  readonly prefix: PrefixRecord;
  readonly lastCrc: number;
}

export function recover(store: LogStore): Recovery {
  const prefix = named<PrefixRecord>(store, keys.prefix) ?? emptyPrefix;
  const hardState = named<HardState>(store, keys.hardState) ?? { term: 0, votedFor: '' };
  const boundaries: TermBoundary[] = [];
  const configurations: ConfigurationAt[] = [];
  let crc = prefix.crc;
  let term = prefix.term;
  let last = prefix.index;
  const bounds = store.bounds();
  // Entries at or below the prefix are leftovers of an interrupted truncation.
  for (const [index, bytes] of bounds === undefined ? [] : store.range(prefix.index + 1, bounds.last)) {
    if (index !== last + 1)
      throw new RaftError('logCorrupt', { detail: `entry ${last + 1} is missing`, index: last + 1 });
    const decoded = decodeEntry(bytes, index, crc);
    if (decoded === undefined) throw new RaftError('logCorrupt', { detail: `entry ${index} does not verify`, index });
    const { entry } = decoded;
    if (entry.term < term) throw new RaftError('logCorrupt', { detail: `the term falls at entry ${index}`, index });
    if (entry.term !== term || boundaries.length === 0) boundaries.push({ index, term: entry.term });
    if (entry.kind === 'configuration') configurations.push({ index, configuration: entry.configuration });
    ({ term } = entry);
    ({ crc } = decoded);
    last = index;
  }
  if (hardState.term < term)
    throw new RaftError('logCorrupt', { detail: `term ${hardState.term} is older than the log's` });
  const identity = named<LogIdentity>(store, keys.identity);
  const recovered: RecoveredLog = {
    logId: identity?.logId ?? 0,
    hardState,
    prefix: { index: prefix.index, term: prefix.term },
    lastIndex: last,
    termBoundaries: boundaries,
    base: prefix.base,
    configurations,
    identity,
    installing: named<CheckpointMeta>(store, keys.installing),
  };
  return { recovered, prefix, lastCrc: crc };
}

function named<T>(store: LogStore, key: string): T | undefined {
  const bytes = store.get(key);
  if (bytes === undefined) return undefined;
  const value = decodeRecord(bytes);
  if (value === undefined) throw new RaftError('logCorrupt', { detail: `record "${key}" does not verify` });
  return value as T;
}
