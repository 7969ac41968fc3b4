/** Deletes a key if its ModifyIndex is the one given; an absent key counts as deleted. */
import { command } from '../contract.ts';
import { deleteEntryCas } from './kv-entries.ts';

export const kvDeleteCas = command<{ readonly Key: string; readonly Index: number }, boolean>({
  name: 'kv.deleteCas',
  version: 1,
  apply: (tx, { Key, Index }) => deleteEntryCas(tx, Key, Index),
});
