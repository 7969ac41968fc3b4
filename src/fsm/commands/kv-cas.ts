/** Sets a key if its ModifyIndex is the one given (0: if it is absent). The result says whether it was. */
import { command } from '../contract.ts';
import { casEntry, type KvContent } from './kv-entries.ts';

export interface KvCas extends KvContent {
  readonly Index: number;
}

export const kvCas = command<KvCas, boolean>({
  name: 'kv.cas',
  version: 1,
  apply: (tx, { Index, ...content }) => casEntry(tx, content, Index) !== undefined,
});
