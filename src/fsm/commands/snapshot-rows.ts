/** Takes in rows of a state that is to replace this one. No reader sees them yet. */
import { command } from '../contract.ts';
import { Refusal } from '../errors.ts';

export interface SnapshotRows {
  readonly Id: string;
  readonly Rows: readonly (readonly [key: string, value: Uint8Array])[];
}

export const snapshotRows = command<SnapshotRows, boolean>({
  name: 'snapshot.rows',
  version: 1,
  internal: true,
  apply(tx, { Id, Rows }) {
    if (!tx.staging.add(Id, Rows)) throw new Refusal('conflict', 'another restore has begun meanwhile');
    return true;
  },
});
