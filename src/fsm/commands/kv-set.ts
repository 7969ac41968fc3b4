/** Sets a key unconditionally. Keeps the session of a held lock; a set that changes nothing moves no index. */
import { command } from '../contract.ts';
import { type KvContent, setEntry } from './kv-entries.ts';

export const kvSet = command<KvContent, boolean>({
  name: 'kv.set',
  version: 1,
  apply(tx, content) {
    setEntry(tx, content);
    return true;
  },
});
