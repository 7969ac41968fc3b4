/**
 * Makes the rows that were taken in the state, in one step: readers see the old state or the new one, and everyone who
 * waits is answered. Indexes go on behind the highest of both.
 */
import { command } from '../contract.ts';
import { Refusal } from '../errors.ts';

export interface SnapshotTakeOver {
  readonly Id: string;
  /** How many rows were sent. */
  readonly Count: number;
  /** The highest index in them. */
  readonly StateIndex: number;
}

export const snapshotTakeOver = command<SnapshotTakeOver, boolean>({
  name: 'snapshot.takeOver',
  version: 1,
  internal: true,
  apply(tx, { Id, Count, StateIndex }) {
    const count = tx.staging.count(Id);
    if (count === undefined) throw new Refusal('conflict', 'another restore has begun meanwhile');
    if (count !== Count) throw new Refusal('failed', `${count} rows of ${Count} have come`);
    tx.staging.takeOver(Id, StateIndex);
    return true;
  },
});
