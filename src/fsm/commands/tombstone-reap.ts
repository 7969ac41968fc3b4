/** Forgets the tombstones of deletions up to an index; proposed by the leader when they are old enough. Moves no index. */
import { command } from '../contract.ts';

export const tombstoneReap = command<{ readonly Index: number }, number>({
  name: 'tombstone.reap',
  version: 1,
  internal: true,
  apply(tx, { Index }) {
    const tombstones = tx.table('tombstones');
    const old = [...tombstones.range([])].filter((tombstone) => tombstone.ModifyIndex <= Index);
    for (const tombstone of old) tombstones.delete([tombstone.Key]);
    return old.length;
  },
});
