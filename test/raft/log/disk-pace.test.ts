// When the thread may wait for the disk itself: only after it has been quick, and not again soon after it was not.
import { expect, it } from 'vitest';
import { DiskPace } from '../../../src/raft/log/segments/disk-pace.ts';

/** Syncs of these lengths in turn, the last of which decides. */
function isQuickAfter(...runs: readonly (readonly [syncs: number, ms: number])[]): boolean {
  const pace = new DiskPace();
  for (const [syncs, ms] of runs) for (let i = 0; i < syncs; i++) pace.took(ms);
  return pace.isQuick;
}

it.each<[string, boolean, readonly (readonly [number, number])[]]>([
  ['nothing is known yet', false, []],
  ['a good disk', true, [[1, 0.2]]],
  ['a disk of 3 ms', false, [[1_000, 3]]],
  [
    'one slow sync of many',
    true,
    [
      [64, 0.2],
      [1, 5],
    ],
  ],
  [
    'slow ones for a while',
    false,
    [
      [1_000, 0.2],
      [32, 3],
    ],
  ],
  [
    'a stall of 50 ms',
    false,
    [
      [1_000, 0.2],
      [1, 50],
    ],
  ],
  [
    'a stall of 50 ms, soon after',
    false,
    [
      [1_000, 0.2],
      [1, 50],
      [100, 0.2],
    ],
  ],
  [
    'a stall of 50 ms, long after',
    true,
    [
      [1_000, 0.2],
      [1, 50],
      [300, 0.2],
    ],
  ],
  [
    'a stall of minutes, after 4,000 quick syncs',
    false,
    [
      [1_000, 0.2],
      [1, 200_000],
      [4_000, 0.2],
    ],
  ],
  [
    'a stall of minutes is forgiven as well',
    true,
    [
      [1_000, 0.2],
      [1, 200_000],
      [4_001, 0.2],
    ],
  ],
])('%s: %s', (_, quick, runs) => {
  expect(isQuickAfter(...runs)).toBe(quick);
});
