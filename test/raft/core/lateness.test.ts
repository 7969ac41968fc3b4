/** A leader whose timers come late says so, and is waited for longer; one that is well is replaced as fast as ever. */
import { expect, it } from 'vitest';
import { defaultSettings } from '../../../src/raft/config.ts';
import { Lateness } from '../../../src/raft/core/lateness.ts';
import { Cores } from './cores.ts';

const { tickMs, electionTimeoutTicks } = defaultSettings;

it('is told when it is worth it, and fades', () => {
  const lateness = new Lateness();
  let nowMs = 0;
  const tick = (afterMs: number): number => {
    nowMs += afterMs;
    lateness.ticked(nowMs, tickMs);
    return lateness.ms;
  };
  tick(tickMs);
  expect([tick(tickMs + 90), tick(tickMs + 400), tick(tickMs)]).toEqual([0, 400, 394]);
  for (let i = 0; i < 600; i++) tick(tickMs);
  expect(tick(tickMs)).toBe(0);
});

/** Ticks of silence after which `b` asks around. */
function patienceOf(leaderStoodMs: number): number {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  cores.nowMs += leaderStoodMs;
  // The tick that comes late, and those until a heartbeat has told of it.
  for (let i = 0; i < 6; i++) {
    cores.do('a', (core) => core.tick(cores.nowMs));
    cores.deliver();
    cores.nowMs += tickMs;
  }
  // Every server draws its timeout anew; the least one is what counts here.
  const { state } = cores.get('b');
  state.electionTimeoutTicks = electionTimeoutTicks;
  let ticks = 0;
  while (state.role === 'follower') {
    cores.nowMs += tickMs;
    cores.do('b', (core) => core.tick(cores.nowMs));
    ticks++;
  }
  return ticks;
}

it('gives the leader the time by which it was late, up to two election timeouts', () => {
  expect(patienceOf(0)).toBe(electionTimeoutTicks);
  const patience = patienceOf(250);
  expect(patience).toBeGreaterThan(electionTimeoutTicks + 20);
  expect(patience).toBeLessThanOrEqual(electionTimeoutTicks + 26);
  expect(patienceOf(60_000)).toBe(3 * electionTimeoutTicks);
});
