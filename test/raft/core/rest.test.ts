/** For how long a server may rest, and that resting changes nothing but how often it is woken. */
import { beforeEach, describe, expect, it } from 'vitest';
import { defaultSettings, resolveSettings } from '../../../src/raft/config.ts';
import type { RaftCore } from '../../../src/raft/core/core.ts';
import { Cores } from './cores.ts';

const { tickMs, heartbeatTicks, idleHeartbeatTicks, idleAfterTicks } = defaultSettings;

let cores: Cores;
beforeEach(() => {
  cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
});

const at = (id: string): RaftCore => cores.get(id);

/** `count` ticks of `id`, and how many heartbeats it sent to `b`. */
function tick(id: string, count: number, atOnce = false): number {
  let heartbeats = 0;
  for (let i = 0; i < (atOnce ? 1 : count); i++) {
    cores.nowMs += (atOnce ? count : 1) * tickMs;
    const sent = cores.do(id, (core) => core.tick(cores.nowMs, atOnce ? count : 1));
    heartbeats += sent.filter(({ kind, to }) => kind === 'heartbeat' && to === 'b').length;
    cores.deliver();
  }
  return heartbeats;
}

describe('a leader', () => {
  it('does not rest before it was left alone for a while', () => {
    expect(tick('a', idleAfterTicks - 1)).toBe(Math.floor((idleAfterTicks - 1) / heartbeatTicks));
    expect(at('a').rest()).toBe(1);
    tick('a', idleHeartbeatTicks);
    expect(at('a').rest()).toBe(idleHeartbeatTicks - at('a').state.electionTicks);
  });

  it('at rest sends a third of the heartbeats, by single ticks or by the rest', () => {
    tick('a', idleAfterTicks + idleHeartbeatTicks);
    expect(tick('a', 10 * idleHeartbeatTicks)).toBe(10);
    tick('a', at('a').rest(), true);
    expect(tick('a', at('a').rest() - 1, true)).toBe(0);
    expect([at('a').rest(), tick('a', 1)]).toEqual([1, 1]);
  });

  it.each<[string, (core: RaftCore) => void]>([
    ['is written to', (core) => void core.propose([new Uint8Array(3)], cores.nowMs)],
    ['is read from', (core) => void core.read(1, cores.nowMs)],
    ['is asked for its lease', (core) => void core.leaseRead(cores.nowMs)],
    ['is to hand over', (core) => void core.transfer('b', cores.nowMs)],
  ])('is awake when it %s', (_, input) => {
    tick('a', idleAfterTicks + idleHeartbeatTicks);
    tick('a', at('a').rest() - 1, true);
    cores.do('a', input);
    expect(at('a').rest()).toBe(1);
    cores.wire.length = 0;
    expect(tick('a', heartbeatTicks)).toBeGreaterThanOrEqual(1);
  });

  it('steps down when nobody answers it, as soon as without resting', () => {
    tick('a', idleAfterTicks + idleHeartbeatTicks);
    let ticks = 0;
    while (at('a').state.role === 'leader') {
      const rest = at('a').rest();
      cores.nowMs += rest * tickMs;
      cores.do('a', (core) => core.tick(cores.nowMs, rest));
      cores.wire.length = 0;
      ticks += rest;
    }
    expect(ticks).toBeGreaterThanOrEqual(defaultSettings.quorumSilenceTicks - idleHeartbeatTicks);
    expect(ticks).toBeLessThanOrEqual(defaultSettings.quorumSilenceTicks + idleHeartbeatTicks);
  });
});

describe('a follower', () => {
  it('asks around at the same tick, resting or not', () => {
    const { state } = at('b');
    let ticks = 0;
    while (state.role === 'follower') {
      const rest = at('b').rest();
      expect(state.electionTicks + rest).toBeLessThanOrEqual(state.electionTimeoutTicks);
      cores.nowMs += rest * tickMs;
      cores.do('b', (core) => core.tick(cores.nowMs, rest));
      ticks += rest;
    }
    expect(ticks).toBeGreaterThanOrEqual(defaultSettings.electionTimeoutTicks);
    expect(ticks).toBeLessThan(2 * defaultSettings.electionTimeoutTicks);
  });

  it('does not rest while it looks for a leader', () => {
    expect(at('b').rest()).toBe(idleHeartbeatTicks + heartbeatTicks);
    cores.do('b', (core) => core.peerBroken('a', cores.nowMs));
    expect(at('b').rest()).toBe(1);
  });
});

describe('settings', () => {
  it('fit the election timeout where nothing is said', () => {
    expect(resolveSettings({ electionTimeoutTicks: 15 }).idleHeartbeatTicks).toBe(5);
    expect(resolveSettings({ electionTimeoutTicks: 15, heartbeatTicks: 7 }).idleHeartbeatTicks).toBe(7);
    expect(resolveSettings({ electionTimeoutTicks: 60 }).idleHeartbeatTicks).toBe(defaultSettings.idleHeartbeatTicks);
  });

  it.each([{ idleHeartbeatTicks: 2 }, { idleHeartbeatTicks: 16 }])('%j is refused', (settings) => {
    expect(() => resolveSettings(settings)).toThrow(/idleHeartbeatTicks/);
  });
});
