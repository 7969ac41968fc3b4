/** Reads of config entries. All of them report the index of the table: one for all kinds and names. */
import type { ConfigEntry } from '../../structs/config-entry.ts';
import { configEntryKey } from '../../structs/config-entry-rules.ts';
import { query } from '../contract.ts';

export const configEntryGet = query<{ readonly kind: string; readonly name: string }, ConfigEntry | null>({
  name: 'configEntry.get',
  run(tx, { kind, name }) {
    const entry = tx.table('configEntries').get(configEntryKey(kind, name));
    const index = tx.unwatched.table('configEntries').index();
    return entry === undefined ? { index, value: null, notFound: true } : { index, value: entry };
  },
});

/** Entries of a kind, all of them for the empty kind; by kind, then by name. */
export const configEntryList = query<{ readonly kind: string }, readonly ConfigEntry[]>({
  name: 'configEntry.list',
  run(tx, { kind }) {
    const value = [...tx.table('configEntries').range(kind === '' ? [] : [kind])];
    return { index: tx.unwatched.table('configEntries').index(), value };
  },
});
