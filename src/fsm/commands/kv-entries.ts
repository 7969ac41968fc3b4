/**
 * How KV entries change: shared by the kv commands, by transactions and by the end of a session.
 *
 * Only an effective change moves an index. A deletion leaves a tombstone, so that a reader of a prefix sees an index that
 * grew; a deleted tree leaves one, at its prefix. The leader reaps tombstones later (tombstone-reap.ts).
 */
import type { KvEntry } from '../../structs/index.ts';
import type { WriteTx } from '../contract.ts';
import { notAUuid, Refusal } from '../errors.ts';
import { sameBytes } from './equal.ts';

export interface KvContent {
  readonly Key: string;
  readonly Value: Uint8Array | null;
  readonly Flags: number | bigint;
}

/** Sets an entry, keeping the session of a lock that is held. Returns what is stored now. */
export function setEntry(tx: WriteTx, content: KvContent): KvEntry {
  const Session = tx.table('kv').get([content.Key])?.Session ?? '';
  return writeEntry(tx, content, { LockIndex: 0, Session });
}

function writeEntry(
  tx: WriteTx,
  { Key, Value, Flags }: KvContent,
  { LockIndex, Session }: { readonly LockIndex: number; readonly Session: string },
): KvEntry {
  const kv = tx.table('kv');
  const before = kv.get([Key]);
  if (
    before !== undefined &&
    before.LockIndex === LockIndex &&
    before.Session === Session &&
    BigInt(before.Flags) === BigInt(Flags) &&
    sameBytes(before.Value, Value)
  ) {
    return before;
  }
  const entry: KvEntry = {
    LockIndex,
    Key,
    Flags,
    Value: Value === null || Value.length === 0 ? null : Value,
    Session,
    CreateIndex: before?.CreateIndex ?? tx.index,
    ModifyIndex: tx.index,
  };
  kv.put([Key], entry);
  return entry;
}

/** Sets if the stored ModifyIndex is `index`, 0 meaning absent. Undefined if it is not. */
export function casEntry(tx: WriteTx, content: KvContent, index: number): KvEntry | undefined {
  const before = tx.table('kv').get([content.Key]);
  if ((before?.ModifyIndex ?? 0) !== index) return undefined;
  return setEntry(tx, content);
}

/** Locks and sets. Undefined if another session holds the lock. Throws a Refusal for a session that does not exist. */
export function acquireEntry(tx: WriteTx, content: KvContent, session: string): KvEntry | undefined {
  requireSession(session);
  if (session.length !== 36) throw notAUuid();
  if (tx.table('sessions').get([session]) === undefined) {
    throw new Refusal('failed', `invalid session ${JSON.stringify(session)}`);
  }
  const before = tx.table('kv').get([content.Key]);
  const held = before?.Session ?? '';
  if (held !== '' && held !== session) return undefined;
  const lockIndex = before?.LockIndex ?? 0;
  return writeEntry(tx, content, { LockIndex: held === session ? lockIndex : lockIndex + 1, Session: session });
}

/** Unlocks and sets. Undefined if `session` does not hold the lock. */
export function releaseEntry(tx: WriteTx, content: KvContent, session: string): KvEntry | undefined {
  requireSession(session);
  const before = tx.table('kv').get([content.Key]);
  if (before === undefined || before.Session !== session) return undefined;
  return writeEntry(tx, content, { LockIndex: before.LockIndex, Session: '' });
}

/** Takes the lock off an entry and changes nothing else of it. */
export function unlockEntry(tx: WriteTx, entry: KvEntry): void {
  tx.table('kv').put([entry.Key], { ...entry, Session: '', ModifyIndex: tx.index });
}

/** Deletes one entry; nothing happens when it is absent. */
export function deleteEntry(tx: WriteTx, key: string): void {
  if (tx.table('kv').delete([key])) tx.table('tombstones').put([key], { Key: key, ModifyIndex: tx.index });
}

/** Deletes if the stored ModifyIndex is `index`. An absent entry counts as deleted; false only on another index. */
export function deleteEntryCas(tx: WriteTx, key: string, index: number): boolean {
  const before = tx.table('kv').get([key]);
  if (before === undefined) return true;
  if (before.ModifyIndex !== index) return false;
  deleteEntry(tx, key);
  return true;
}

/**
 * Deletes every entry whose key begins with `prefix`, and leaves one tombstone for all of them. Those of earlier deletions go: an empty
 * list below `prefix` has the index of the table, which is this deletion's, and not that of an older one. (a/b is deleted at 3, then the
 * tree at 4 with a/c: a reader of a/ who knows index 3 would not learn that a/c is gone.)
 */
export function deleteTree(tx: WriteTx, prefix: string): void {
  const kv = tx.table('kv');
  const keys = [...kv.startingWith(prefix)].map((entry) => entry.Key);
  if (keys.length === 0) return;
  for (const key of keys) kv.delete([key]);
  const tombstones = tx.table('tombstones');
  for (const { Key } of [...tombstones.startingWith(prefix)]) tombstones.delete([Key]);
  if (prefix !== '') tombstones.put([prefix], { Key: prefix, ModifyIndex: tx.index });
}

function requireSession(session: string): void {
  if (session === '') throw new Refusal('failed', 'missing session');
}
