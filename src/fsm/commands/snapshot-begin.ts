/** Begins to take in a state that is to replace this one. What an earlier attempt collected is forgotten. */
import { command } from '../contract.ts';

export const snapshotBegin = command<{ readonly Id: string }, boolean>({
  name: 'snapshot.begin',
  version: 1,
  internal: true,
  apply(tx, { Id }) {
    tx.staging.begin(Id);
    return true;
  },
});
