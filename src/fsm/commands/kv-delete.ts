/** Deletes a key, whether or not it is there, locked or not. */
import { command } from '../contract.ts';
import { deleteEntry } from './kv-entries.ts';

export const kvDelete = command<{ readonly Key: string }, boolean>({
  name: 'kv.delete',
  version: 1,
  apply(tx, { Key }) {
    deleteEntry(tx, Key);
    return true;
  },
});
