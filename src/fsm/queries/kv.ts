/** Reads of the key/value store. Index rules: a present key reports its own; an absent one the last write or delete anywhere. */
import type { KvEntry } from '../../structs/index.ts';
import { query } from '../contract.ts';

export const kvGet = query<{ readonly key: string }, KvEntry | null>({
  name: 'kv.get',
  run(tx, { key }) {
    const entry = tx.table('kv').get([key]);
    if (entry !== undefined) return { index: entry.ModifyIndex, value: entry };
    return { index: Math.max(tx.table('kv').index(), tx.table('tombstones').index()), value: null, notFound: true };
  },
});
