/** The ticks of a server, counted and not woken for: on a clock that stands, jumps and comes late. */
import { beforeEach, expect, it } from 'vitest';
import { Ticks } from '../../src/raft/ticks.ts';
import type { Clock } from '../../src/std/clock.ts';

const tickMs = 10;

let nowMs: number;
let timers: { dueMs: number; callback: () => void }[];
let rest: number;
let counted: [count: number, waitedMs: number][];
let ticks: Ticks;

const clock: Clock = {
  monotonicMs: () => nowMs,
  wallMs: () => nowMs,
  after(delayMs, callback) {
    const timer = { dueMs: nowMs + delayMs, callback };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  },
};

/** The timer that is set runs, `lateMs` after it was due. */
function fire(lateMs = 0): void {
  expect(timers).toHaveLength(1);
  const [{ dueMs, callback }] = timers as [(typeof timers)[0]];
  timers = [];
  nowMs = dueMs + lateMs;
  callback();
}

function input(callback: () => void = () => {}): void {
  ticks.countPassed();
  callback();
  ticks.replan();
}

beforeEach(() => {
  [nowMs, timers, rest, counted] = [1_000, [], 6, []];
  ticks = new Ticks({
    ...{ clock, tickMs, input },
    rest: () => rest,
    tick: (count, waitedMs) => counted.push([count, waitedMs]),
  });
  ticks.start();
});

it('wakes once for a whole rest', () => {
  fire();
  fire();
  expect(counted).toEqual([
    [6, 60],
    [6, 60],
  ]);
  expect(nowMs).toBe(1_120);
});

it('counts what has passed before an input, and the rest of it after', () => {
  nowMs += 27;
  input(() => expect(counted).toEqual([[2, 20]]));
  rest = 4;
  fire();
  expect(counted.at(-1)).toEqual([6, 60]);
  expect(nowMs).toBe(1_080);
});

it('an input that makes the core busy brings its ticks at their times', () => {
  nowMs += 27;
  input(() => {
    rest = 1;
  });
  fire();
  expect([nowMs, counted]).toEqual([
    1_030,
    [
      [2, 20],
      [1, 10],
    ],
  ]);
});

it('a server that hears from its leader is not woken at all', () => {
  for (let i = 0; i < 100; i++) {
    nowMs += 30;
    input();
  }
  expect(counted).toEqual(Array.from({ length: 100 }, () => [3, 30]));
  expect(timers.map(({ dueMs }) => dueMs)).toEqual([nowMs + 60]);
});

it.each([
  { lateMs: 9, count: 6 },
  { lateMs: 25, count: 4 },
  { lateMs: 5_000, count: 1 },
])('of a timer that is $lateMs ms late $count ticks count', ({ lateMs, count }) => {
  fire(lateMs);
  expect(counted).toEqual([[count, 60]]);
  // Nothing is caught up with: the next rest begins now.
  expect(timers.map(({ dueMs }) => dueMs)).toEqual([nowMs + 60]);
});

it('an input that comes before a timer that is late leaves the count to the timer', () => {
  nowMs += 500;
  input();
  expect(counted).toEqual([]);
  input(() => ticks.stop());
  expect(timers).toEqual([]);
});
