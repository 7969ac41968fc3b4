/**
 * Reads of the key/value store.
 *
 * Index rules: a present key reports its own index; an absent one, and the empty prefix, that of the last write or deletion
 * anywhere; a prefix the highest of what is or was below it (a tombstone keeps what was). Waiting is finer than
 * reporting: a reader wakes for its own key or prefix only, never because the table's index moved.
 */
import type { KvEntry } from '../../structs/index.ts';
import { query, type ReadTx } from '../contract.ts';

export const kvGet = query<{ readonly key: string }, KvEntry | null>({
  name: 'kv.get',
  run(tx, { key }) {
    const entry = tx.table('kv').get([key]);
    if (entry !== undefined) return { index: entry.ModifyIndex, value: entry };
    return { index: tx.unwatched.table('kv').index(), value: null, notFound: true };
  },
});

export const kvList = query<{ readonly prefix: string }, readonly KvEntry[]>({
  name: 'kv.list',
  run(tx, { prefix }) {
    const value = [...tx.table('kv').startingWith(prefix)];
    return { index: indexBelow(tx, prefix, value), value };
  },
});

/** Keys below a prefix, each cut behind the first `separator` that follows the prefix and then listed once. */
export const kvKeys = query<{ readonly prefix: string; readonly separator: string }, readonly string[]>({
  name: 'kv.keys',
  run(tx, { prefix, separator }) {
    const entries = [...tx.table('kv').startingWith(prefix)];
    const value = new Set(entries.map((entry) => cutKey(entry.Key, prefix, separator)));
    return { index: indexBelow(tx, prefix, entries), value: [...value] };
  },
});

function cutKey(key: string, prefix: string, separator: string): string {
  if (separator === '') return key;
  const at = key.indexOf(separator, prefix.length);
  return at === -1 ? key : key.slice(0, at + separator.length);
}

function indexBelow(tx: ReadTx, prefix: string, entries: readonly KvEntry[]): number {
  const { unwatched } = tx;
  const tableIndex = unwatched.table('kv').index();
  if (prefix === '') return tableIndex;
  let index = 0;
  for (const entry of entries) index = Math.max(index, entry.ModifyIndex);
  for (const { ModifyIndex } of unwatched.table('tombstones').startingWith(prefix))
    index = Math.max(index, ModifyIndex);
  return index === 0 ? tableIndex : index;
}
