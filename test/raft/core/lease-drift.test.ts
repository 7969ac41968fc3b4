/**
 * How far clocks may run apart before a lease lies. The leader counts `leaseMs * (1 - leaseDriftMargin)` of its clock from when its question
 * left; a voter keeps its vote back for `leaseMs` of its own from when it came, which is later. The bound is a ratio of rates of
 * 1 / (1 - leaseDriftMargin) = 1.25, and it is tight.
 */
import { expect, it } from 'vitest';
import { defaultSettings } from '../../../src/raft/config.ts';
import { rules } from '../../../src/raft/core/rules.ts';

const { leaseMs, leaseDriftMargin, electionTimeoutTicks, tickMs } = defaultSettings;

/** True ms after the question for which a leader whose clock runs at this rate believes in its lease. */
function believesFor(rate: number): number {
  const valid = (trueMs: number): boolean =>
    rules.leaseIsValid({
      ...{ contactMs: 0, nowMs: trueMs * rate, leaseMs, driftMargin: leaseDriftMargin },
      ...{ transferOrdered: false, clockStoodMs: Number.NEGATIVE_INFINITY },
    });
  let trueMs = 0;
  while (valid(trueMs)) trueMs += 0.01;
  return trueMs;
}

/** True ms after the question's arrival before a voter whose clock runs at this rate votes; `lostContact`: the hurried way. */
function waitsFor(rate: number, lostContact: boolean): number {
  const waits = (trueMs: number): boolean =>
    rules.voterMustWait({
      ...{ sinceContactMs: trueMs * rate, sinceStartMs: Number.POSITIVE_INFINITY, leaseMs, lostContact },
      electionTimeoutMs: electionTimeoutTicks * tickMs,
    });
  let trueMs = 0;
  while (waits(trueMs)) trueMs += 0.01;
  return trueMs;
}

it.each([
  { name: 'equal clocks', leader: 1, voter: 1, holds: true },
  { name: 'the simulation at its edge', leader: 0.89, voter: 1.11, holds: true },
  { name: 'just within the bound', leader: 1, voter: 1.249, holds: true },
  { name: 'just within the bound, a slow leader', leader: 1 / 1.249, voter: 1, holds: true },
  { name: 'just beyond it', leader: 1, voter: 1.251, holds: false },
])('$name: the lease ends before a vote is given: $holds', ({ leader, voter, holds }) => {
  expect(believesFor(leader) <= waitsFor(voter, true)).toBe(holds);
});

it('who has not lost the connection waits for a whole election timeout, whatever the clocks', () => {
  expect(waitsFor(1.25, false)).toBeGreaterThan(3 * believesFor(1));
});
