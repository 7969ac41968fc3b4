/** Deletes all keys with a byte prefix in one step; the empty prefix empties the store. */
import { command } from '../contract.ts';
import { deleteTree } from './kv-entries.ts';

export const kvDeleteTree = command<{ readonly Prefix: string }, boolean>({
  name: 'kv.deleteTree',
  version: 1,
  apply(tx, { Prefix }) {
    deleteTree(tx, Prefix);
    return true;
  },
});
