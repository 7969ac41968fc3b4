/** A machine that stood still: what its clocks tell, and that no lease from before is believed. */
import { describe, expect, it } from 'vitest';
import { rules } from '../../src/raft/core/rules.ts';
import { Suspension } from '../../src/raft/suspension.ts';

const hourMs = 3_600_000;

function clocks() {
  let monotonicMs = 100;
  let wallMs = 1_000_000;
  const clock = { monotonicMs: () => monotonicMs, wallMs: () => Math.floor(wallMs), after: () => () => {} };
  const suspension = new Suspension(clock);
  return {
    /** Time goes by on each clock; then a look. */
    look: (monotonicBy: number, wallBy: number): boolean => {
      monotonicMs += monotonicBy;
      wallMs += wallBy;
      return suspension.happened(monotonicMs);
    },
  };
}

describe('a suspension', () => {
  it.each([
    { name: 'both clocks run', monotonicBy: 30, wallBy: 30, happened: false },
    { name: 'the wall clock is slewed', monotonicBy: 30, wallBy: 30.5, happened: false },
    { name: 'the process was stopped: both clocks ran', monotonicBy: hourMs, wallBy: hourMs, happened: false },
    { name: 'the wall clock is set back', monotonicBy: 10, wallBy: -hourMs, happened: false },
    { name: 'the machine was suspended', monotonicBy: 0, wallBy: 50, happened: true },
    { name: 'the wall clock is set forward, which looks the same', monotonicBy: 10, wallBy: hourMs, happened: true },
  ])('$name', ({ monotonicBy, wallBy, happened }) => {
    const { look } = clocks();
    expect(look(10, 10)).toBe(false);
    expect(look(monotonicBy, wallBy)).toBe(happened);
    // It is told once.
    expect(look(10, 10)).toBe(false);
  });

  it('is seen after the wall clock was set back', () => {
    const { look } = clocks();
    look(10, -hourMs);
    expect(look(10, 200)).toBe(true);
  });

  it('ends a lease until the next contact', () => {
    const lease = { nowMs: 1_000, leaseMs: 100, driftMargin: 0.1, transferOrdered: false };
    expect(rules.leaseIsValid({ ...lease, contactMs: 990, clockStoodMs: Number.NEGATIVE_INFINITY })).toBe(true);
    // The message left before, or while, the clock stood.
    expect(rules.leaseIsValid({ ...lease, contactMs: 990, clockStoodMs: 995 })).toBe(false);
    expect(rules.leaseIsValid({ ...lease, contactMs: 995, clockStoodMs: 995 })).toBe(false);
    expect(rules.leaseIsValid({ ...lease, contactMs: 996, clockStoodMs: 995 })).toBe(true);
  });
});
