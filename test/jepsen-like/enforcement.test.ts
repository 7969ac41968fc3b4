/** The judge of denies is shown good histories and one with each fault that it exists for. */
import { describe, expect, it } from 'vitest';
import {
  type Attempt,
  type Change,
  checkEnforcement,
  type EnforcementBounds,
  type Observed,
} from '../../jepsen-like/checkers/enforcement.ts';

const bounds: EnforcementBounds = { quietMs: 100, settleMs: 1_000, returnMs: 2_000, declaredMs: 5_000, wakeMs: 50 };
const change = (allow: boolean, atMs: number, outcome: Change['outcome'] = 'ok'): Change => ({
  allow,
  outcome,
  startMs: atMs - 10,
  endMs: atMs,
});
const attempt = (carried: boolean, startMs: number, endMs = startMs + 5): Attempt => ({
  carried,
  what: 'connection',
  startMs,
  endMs,
});
const says = (says: 'current' | 'stale' | 'nothing', ...times: number[]) =>
  times.map((startMs) => ({ says, startMs, endMs: startMs + 1 }));
const fault = (startMs: number, endMs: number, onHost = false) => ({ startMs, endMs, onHost });

function judged(observed: Partial<Observed>): {
  violations: number;
  quiet: readonly number[];
  disturbed: readonly number[];
} {
  const nothing = { changes: [], attempts: [], contacts: [], sightings: [], disturbances: [] };
  const found = checkEnforcement({ ...nothing, ...observed }, bounds);
  return { violations: found.violations.length, quiet: found.quietDelays, disturbed: found.disturbedDelays };
}

const denied = [change(true, 1_000), change(false, 2_000)];

describe('in quiet', () => {
  it('connections that are refused from the acknowledgement on, or soon after, are as promised', () => {
    expect(judged({ changes: denied, attempts: [attempt(true, 1_990), attempt(false, 2_001)] })).toEqual({
      violations: 0,
      quiet: [0],
      disturbed: [],
    });
    expect(judged({ changes: denied, attempts: [attempt(true, 2_060), attempt(false, 2_120)] })).toEqual({
      violations: 0,
      quiet: [60],
      disturbed: [],
    });
  });
  it('one that is carried later is not, whatever the agent says', () => {
    const late = { changes: denied, attempts: [attempt(true, 2_101)] };
    expect(judged(late).violations).toBe(1);
    expect(judged({ ...late, contacts: says('stale', 2_000, 2_200) }).violations).toBe(1);
  });
  it('one that began before the acknowledgement, or may have been decided after the next change, is not judged', () => {
    const changes = [...denied, change(true, 4_000)];
    expect(judged({ changes, attempts: [attempt(true, 1_999, 3_000)] }).violations).toBe(0);
    expect(judged({ changes, attempts: [attempt(true, 3_000, 3_991)] }).violations).toBe(0);
    expect(judged({ changes, attempts: [attempt(true, 3_000, 3_989)] }).violations).toBe(1);
  });
  it('a change of unknown outcome counts as one, a failed one does not, and the next acknowledged one settles it', () => {
    const late = [attempt(true, 3_000)];
    expect(judged({ changes: [...denied, change(true, 2_500, 'unknown')], attempts: late }).violations).toBe(0);
    expect(judged({ changes: [...denied, change(true, 2_500, 'fail')], attempts: late }).violations).toBe(1);
    const settled = [...denied, change(true, 2_200, 'unknown'), change(false, 2_500)];
    expect(judged({ changes: settled, attempts: late }).violations).toBe(1);
  });
  it('a second deny does not begin the time anew', () => {
    expect(judged({ changes: [...denied, change(false, 2_990)], attempts: [attempt(true, 2_995)] }).violations).toBe(1);
  });
});

describe('under faults', () => {
  const disturbances = [fault(1_500, 9_000)];
  it('an agent that says it is current is believed for a while, and no longer', () => {
    const current = says('current', 2_000, 6_000, 8_000, 8_500);
    const carried = (startMs: number) =>
      judged({ changes: denied, attempts: [attempt(true, startMs)], contacts: current, disturbances });
    expect(carried(6_999)).toEqual({ violations: 0, quiet: [], disturbed: [4_999] });
    expect(carried(7_001).violations).toBe(1);
  });
  it('one that says it is not, says nothing, or changed its mind around that time goes on with what it knew', () => {
    for (const contacts of [
      says('stale', 6_000, 8_000),
      says('nothing', 6_000, 8_000),
      [...says('current', 7_000), ...says('stale', 7_600)],
      [...says('stale', 7_000), ...says('current', 7_600)],
    ]) {
      expect(judged({ changes: denied, attempts: [attempt(true, 7_500)], contacts, disturbances }).violations).toBe(0);
    }
  });
  it('what the agent was seen to have holds, whatever the faults', () => {
    const sightings = [{ changedMs: 2_000, atMs: 2_300 }];
    const carried = (startMs: number) =>
      judged({ changes: denied, attempts: [attempt(true, startMs)], sightings, disturbances }).violations;
    expect(carried(2_349)).toBe(0);
    expect(carried(2_351)).toBe(1);
    const ofAnother = [{ changedMs: 1_000, atMs: 1_100 }];
    expect(
      judged({ changes: denied, attempts: [attempt(true, 2_351)], sightings: ofAnother, disturbances }).violations,
    ).toBe(0);
  });
  it('the excuse ends some time after the fault', () => {
    const carried = (startMs: number) =>
      judged({
        changes: denied,
        attempts: [attempt(true, startMs)],
        contacts: says('stale', startMs - 10, startMs + 10),
        disturbances: [fault(1_500, 2_500)],
      }).violations;
    expect(carried(3_590)).toBe(0);
    expect(carried(3_610)).toBe(1);
  });
});

describe('an allow', () => {
  const changes = [change(true, 1_000)];
  const sightings = [{ changedMs: 1_000, atMs: 1_200 }];
  const refused = (startMs: number, disturbances = [fault(900, 3_000)]) =>
    judged({ changes, attempts: [attempt(false, startMs)], sightings, disturbances }).violations;
  it('that the agent has is not taken back by a fault of servers', () => {
    expect(refused(1_240)).toBe(0);
    expect(refused(1_260)).toBe(1);
  });
  it('may be, by a fault of the host, and a while after', () => {
    expect(refused(1_260, [fault(900, 1_250, true)])).toBe(0);
    expect(refused(3_240, [fault(900, 1_250, true)])).toBe(0);
    expect(refused(3_260, [fault(900, 1_250, true)])).toBe(1);
  });
});
