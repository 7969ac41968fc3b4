/** The simulated clocks: rates, setting, and a suspended machine, of which only the wall clock knows. */
import { expect, it } from 'vitest';
import { seededRandom } from '../../src/std/random.ts';
import { VirtualTime } from '../../src/testing/sim/virtual-time.ts';
import { SimClock } from './clock.ts';

function clockAt(rate: number) {
  const time = new VirtualTime(seededRandom(1));
  const sim = new SimClock(rate, {
    nowMs: () => time.nowMs,
    later: (delayMs, callback) => time.schedule(delayMs, callback),
  });
  const runTo = (untilMs: number): void => {
    while (time.runNext(untilMs));
    time.moveTo(untilMs);
  };
  return { sim, clock: sim.open(), time, runTo };
}

it('runs at its rate, and so do its timers', () => {
  const { clock, time, runTo } = clockAt(1.1);
  const fired: number[] = [];
  clock.after(110, () => fired.push(time.nowMs));
  runTo(1_000);
  expect(clock.monotonicMs()).toBeCloseTo(1_100, 6);
  expect(fired).toHaveLength(1);
  expect(fired[0]).toBeCloseTo(100, 6);
});

it('stands while the machine is suspended; timers wait as much longer, the wall clock knows', () => {
  const { sim, clock, time, runTo } = clockAt(1);
  const fired: number[] = [];
  clock.after(100, () => fired.push(time.nowMs));
  runTo(50);
  sim.suspend();
  runTo(500);
  expect(clock.monotonicMs()).toBe(50);
  expect(sim.resume()).toBe(true);
  expect(sim.resume()).toBe(false);
  runTo(1_000);
  expect(fired).toHaveLength(1);
  expect(fired[0]).toBeCloseTo(550, 6);
  expect(clock.monotonicMs()).toBe(550);
  expect(clock.wallMs()).toBe(1_000);
});

it('calls nobody who cancelled, even if the timer was set anew meanwhile', () => {
  const { sim, clock, runTo } = clockAt(1);
  let fired = false;
  const cancel = clock.after(100, () => {
    fired = true;
  });
  sim.suspend();
  runTo(200);
  sim.resume();
  cancel();
  runTo(1_000);
  expect(fired).toBe(false);
});

it('sets the wall clock alone', () => {
  const { sim, clock, runTo } = clockAt(1);
  runTo(10);
  sim.setWall(-5_000);
  expect(clock.wallMs()).toBe(-4_990);
  expect(clock.monotonicMs()).toBe(10);
});
