/** Duties of a leader on a clock that is moved by hand: session timers, lock-delays, tombstones, coordinates. */
import { describe, expect, it } from 'vitest';
import { CoordinateBatch } from '../../../../src/agent/server/duties/coordinate-batch.ts';
import { LockDelays } from '../../../../src/agent/server/duties/lock-delays.ts';
import { SessionTimers } from '../../../../src/agent/server/duties/session-timers.ts';
import { TombstoneGc } from '../../../../src/agent/server/duties/tombstone-gc.ts';
import type { AppliedCommand } from '../../../../src/fsm/index.ts';
import { second } from '../../../../src/std/duration.ts';
import { Bench, ManualClock } from '../../../fsm/support.ts';

/** Lets promises that are settled run their continuations. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function benchWith(onApplied: (command: AppliedCommand) => void): Bench {
  const bench = new Bench();
  bench.store.listen({ applied: onApplied });
  bench.register({ Node: 'n1', Address: '10.0.0.1' });
  return bench;
}

const create = (bench: Bench, more: { TTL?: string; LockDelay?: number; Behavior?: string } = {}): string =>
  bench.apply('session.create', {
    ...{ ID: '', Name: '', Node: 'n1', LockDelay: 0, Behavior: '', TTL: '' },
    ...{ NodeChecks: [], ServiceChecks: null, Checks: null },
    ...more,
  });
const lock = (bench: Bench, Key: string, Session: string) =>
  bench.apply('kv.acquire', { Key, Value: null, Flags: 0, Session });

describe('session timers', () => {
  function timers(fails = 0) {
    const clock = new ManualClock();
    const warned: string[] = [];
    const ended: string[] = [];
    let bench: Bench | undefined;
    const sessions = new SessionTimers({
      clock,
      destroy: async (ID) => {
        if (fails-- > 0) throw new Error('no quorum');
        ended.push(ID);
        bench?.apply('session.destroy', { ID });
      },
      warn: (message) => warned.push(message),
    });
    bench = benchWith((command) => sessions.applied(command));
    return { clock, bench, sessions, ended, warned };
  }

  it('end a session twice its TTL after it was made, and not before', async () => {
    const { clock, bench, ended, sessions } = timers();
    const id = create(bench, { TTL: '10s' });
    create(bench, { TTL: '' });
    expect(sessions.size).toBe(1);
    clock.advance(19_999);
    await settle();
    expect(ended).toEqual([]);
    clock.advance(1);
    await settle();
    expect(ended).toEqual([id]);
    expect(sessions.size).toBe(0);
  });

  it('begin again with each renewal, and with each leadership', async () => {
    const { clock, bench, sessions, ended } = timers();
    const id = create(bench, { TTL: '10s' });
    clock.advance(15_000);
    sessions.renew(bench.query('session.info', { id }).value!);
    clock.advance(15_000);
    sessions.start(bench.store.view);
    clock.advance(19_999);
    await settle();
    expect(ended).toEqual([]);
    clock.advance(1);
    await settle();
    expect(ended).toEqual([id]);
  });

  it('try again, after 10 s, 20 s, 40 s …, six times in all', async () => {
    const { clock, bench, ended, warned } = timers(6);
    create(bench, { TTL: '10s' });
    clock.advance(20_000);
    await settle();
    for (const pauseMs of [10_000, 20_000, 40_000, 80_000, 160_000]) {
      clock.advance(pauseMs);
      await settle();
    }
    expect(warned).toHaveLength(6);
    expect([ended, clock.pending]).toEqual([[], 0]);
  });

  it('leave nothing behind when the session or the leadership ends', () => {
    const { clock, bench, sessions } = timers();
    bench.apply('session.destroy', { ID: create(bench, { TTL: '10s' }) });
    create(bench, { TTL: '10s' });
    sessions.stop();
    expect(clock.pending).toBe(0);
  });
});

describe('lock-delays', () => {
  const setUp = () => {
    const delays = new LockDelays();
    const bench = benchWith((command) => delays.applied(command, 1_000));
    return { delays, bench };
  };

  it('hold the keys of a session that was ended, whatever ended it and whatever it did with them', () => {
    const { delays, bench } = setUp();
    for (const [key, Behavior] of [
      ['a', 'release'],
      ['b', 'delete'],
    ] as const) {
      const id = create(bench, { LockDelay: 15 * second, Behavior });
      lock(bench, key, id);
      bench.apply('session.destroy', { ID: id });
      expect(delays.until(key, 1_000)).toBe(16_000);
    }
    const id = create(bench, { LockDelay: 15 * second });
    lock(bench, 'c', id);
    bench.apply('catalog.deregister', { Datacenter: '', Node: 'n1', ServiceID: '', CheckID: '' });
    expect(delays.until('c', 1_000)).toBe(16_000);
    expect(delays.until('c', 16_000)).toBe(0);
  });

  it('are capped at 60 s, off at 0, and not started by a release or a write', () => {
    const { delays, bench } = setUp();
    const long = create(bench, { LockDelay: 3_600 * second });
    const off = create(bench);
    lock(bench, 'long', long);
    lock(bench, 'off', off);
    const released = { Key: 'released', Value: null, Flags: 0, Session: long };
    bench.apply('kv.acquire', released);
    bench.apply('kv.release', released);
    bench.apply('session.destroy', { ID: long });
    bench.apply('session.destroy', { ID: off });
    expect(delays.until('long', 1_000)).toBe(61_000);
    expect([delays.until('off', 1_000), delays.until('released', 1_000)]).toEqual([0, 0]);
  });
});

describe('tombstones', () => {
  it('are reaped after 15 minutes, a bin of 30 s at a time, up to its highest index', async () => {
    const clock = new ManualClock();
    const reaped: number[] = [];
    const gc = new TombstoneGc({ clock, reap: async (index) => reaped.push(index), warn: () => undefined });
    const bench = benchWith((command) => gc.applied(command));
    const remove = (Key: string): number => {
      bench.apply('kv.set', { Key, Value: null, Flags: 1 });
      bench.apply('kv.delete', { Key });
      return bench.index;
    };
    clock.advance(1_000);
    remove('a');
    clock.advance(20_000);
    const ofFirstBin = remove('b');
    clock.advance(20_000);
    const ofSecondBin = remove('c');
    bench.apply('kv.delete', { Key: 'never there' });
    clock.advance(15 * 60_000 - 41_000);
    await settle();
    expect(reaped).toEqual([]);
    clock.advance(30_000);
    await settle();
    expect(reaped).toEqual([ofFirstBin]);
    clock.advance(30_000);
    await settle();
    expect(reaped).toEqual([ofFirstBin, ofSecondBin]);
    expect(clock.pending).toBe(0);
  });
});

describe('coordinates', () => {
  it('are written every five seconds, the newest of each node, in batches; surplus is dropped', async () => {
    const clock = new ManualClock();
    const written: number[] = [];
    const warned: unknown[] = [];
    const batch = new CoordinateBatch({
      clock,
      write: async (updates) => written.push(updates.length),
      warn: (_message, fields) => warned.push(fields),
    });
    const Coord = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1, Adjustment: 0, Height: 0 };
    for (let i = 0; i < 2_000; i++) batch.add({ Node: `n${i % 700}`, Segment: '', Coord });
    clock.advance(4_999);
    await settle();
    expect(written).toEqual([]);
    clock.advance(1);
    await settle();
    expect(written).toEqual([128, 128, 128, 128, 128]);
    expect(warned).toEqual([{ count: 60 }]);
  });
});
