// The cache of topics on a manual clock, over a stream that the test holds: one stream a topic, resumed elsewhere, and the
// last known state when no server is left.
import { describe, expect, it } from 'vitest';
import { TopicCache } from '../../../src/agent/client/topic-cache.ts';
import { type Answer, BackendError, type ReadOptions } from '../../../src/api/backend.ts';
import { Refusal } from '../../../src/fsm/index.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const caller = { token: '', address: '', call: 'GET /v1/health/service/web', datacenter: '' };
const holdMs = 7_000;

interface Stream {
  readonly signal: AbortSignal;
  told(answer: Answer<never>): void;
  ended(error: Error): void;
}

function setUp() {
  const clock = new VirtualClock();
  const streams: Stream[] = [];
  const lines: string[] = [];
  const server = { now: 's1' };
  const cache = new TopicCache({
    clock,
    holdMs,
    info: (message) => lines.push(message),
    warn: (message) => lines.push(message),
    watch: (_name, _args, { signal }, told, ended) => {
      streams.push({ signal, told: told as Stream['told'], ended });
      return server.now;
    },
  });
  const ask = (more: Partial<ReadOptions> = {}) =>
    cache.query('catalog.services', {}, { caller, consistency: 'default', minIndex: 1, ...more });
  return { clock, streams, lines, cache, ask, server };
}

const state = (index: number, more: Partial<Answer<never>> = {}): Answer<never> => ({
  value: index as never,
  index,
  knownLeader: true,
  lastContactMs: 0,
  notFound: false,
  ...more,
});
const gone = new BackendError('noServers', 'No known Consul servers');

describe('the topic cache', () => {
  it('has one stream for all who wait for the same thing, and others for other tokens', async () => {
    const { streams, ask, cache } = setUp();
    const answers = Promise.all(Array.from({ length: 100 }, () => ask()));
    expect(streams).toHaveLength(1);
    streams[0]!.told(state(5));
    expect(new Set((await answers).map(({ index }) => index))).toEqual(new Set([5]));
    void ask({ caller: { ...caller, token: 'other' } }).catch(() => undefined);
    expect([streams.length, cache.size]).toEqual([2, 2]);
  });

  it.each([
    { asked: {}, serves: true },
    { asked: { minIndex: 0 }, serves: false },
    { asked: { consistency: 'consistent' as const }, serves: false },
    { asked: { consistency: 'stale' as const }, serves: true },
  ])('serves $asked: $serves', ({ asked, serves }) => {
    const { cache } = setUp();
    expect(cache.serves('catalog.services', { caller, consistency: 'default', minIndex: 1, ...asked })).toBe(serves);
    expect(cache.serves('kv.get', { caller, consistency: 'default', minIndex: 1 })).toBe(false);
  });

  it('answers what it has when the wait is over', async () => {
    const { clock, streams, ask } = setUp();
    const first = ask();
    streams[0]!.told(state(5));
    await first;
    const second = ask({ minIndex: 5, waitMs: 1_000 });
    clock.advance(1_000);
    expect(await second).toEqual(state(5));
  });

  it('goes on at another server when a stream breaks, pausing longer each time, and says for how long it knew nothing', async () => {
    const { clock, streams, lines, ask } = setUp();
    const first = ask();
    streams[0]!.told(state(5));
    await first;
    streams[0]!.ended(gone);
    clock.advance(99);
    expect(streams).toHaveLength(1);
    clock.advance(1);
    expect(streams).toHaveLength(2);
    streams[1]!.ended(gone);
    clock.advance(199);
    expect(streams).toHaveLength(2);
    const waiting = ask({ minIndex: 5, waitMs: 60_000 });
    clock.advance(60_000);
    expect(await waiting).toEqual(state(5, { knownLeader: false, lastContactMs: 60_299 }));
    expect(lines).toEqual(['no server keeps us current: going on with the last known state']);
    streams.at(-1)!.ended(gone);
    clock.advance(5_000);
    const resumed = ask({ minIndex: 5 });
    streams.at(-1)!.told(state(6));
    expect(await resumed).toEqual(state(6));
    expect(lines).toHaveLength(2);
  });

  it('tells who waits whether its stream stands, however long nothing changes', async () => {
    const { clock, streams, ask } = setUp();
    const first = ask();
    streams[0]!.told(state(5));
    await first;
    const heard: boolean[] = [];
    const contact = (stands: boolean): void => void heard.push(stands);
    const waiting = ask({ minIndex: 5, contact });
    streams[0]!.ended(gone);
    expect(heard).toEqual([false]);
    const late = ask({ minIndex: 5, contact: (stands) => heard.push(stands) });
    expect(heard).toEqual([false, false]);
    clock.advance(100);
    streams[1]!.ended(gone);
    clock.advance(200);
    streams[2]!.told(state(5));
    expect(heard).toEqual([false, false, true, true]);
    streams[2]!.told(state(6));
    await Promise.all([waiting, late]);
    streams[2]!.ended(gone);
    expect(heard).toHaveLength(4);
  });

  it('moves to the server whose turn it is once that one is as new, and misses nothing between', async () => {
    const { streams, lines, cache, ask, server } = setUp();
    const first = ask();
    streams[0]!.told(state(5));
    await first;
    cache.moveTo('s1');
    expect(streams).toHaveLength(1);
    server.now = 's2';
    cache.moveTo('s2');
    expect(streams).toHaveLength(2);
    // The new server is behind: the old one is still the one that counts.
    const sixth = ask({ minIndex: 5 });
    streams[1]!.told(state(4));
    streams[0]!.told(state(6));
    expect((await sixth).index).toBe(6);
    expect([streams[0]!.signal.aborted, streams[1]!.signal.aborted]).toEqual([false, false]);
    const seventh = ask({ minIndex: 6 });
    streams[1]!.told(state(6));
    expect([streams[0]!.signal.aborted, streams[1]!.signal.aborted]).toEqual([true, false]);
    streams[0]!.ended(gone);
    streams[0]!.told(state(99));
    streams[1]!.told(state(7));
    expect((await seventh).index).toBe(7);
    expect(lines).toEqual([]);
  });

  it('stays where it is when the server whose turn it is does not answer, and starts anew when its own breaks meanwhile', async () => {
    const { clock, streams, cache, ask, server } = setUp();
    const first = ask();
    streams[0]!.told(state(5));
    await first;
    server.now = 's2';
    cache.moveTo('s2');
    streams[1]!.ended(gone);
    const sixth = ask({ minIndex: 5 });
    streams[0]!.told(state(6));
    expect((await sixth).index).toBe(6);
    cache.moveTo('s2');
    streams[0]!.ended(gone);
    expect(streams[2]!.signal.aborted).toBe(true);
    clock.advance(100);
    expect(streams).toHaveLength(4);
  });

  it('never shows the past to a caller that is ahead of the stream', async () => {
    const { clock, streams, ask } = setUp();
    const first = ask();
    streams[0]!.told(state(5));
    await first;
    let answered: number | undefined;
    void ask({ minIndex: 7 }).then(({ index }) => {
      answered = index;
    });
    streams[0]!.told(state(6));
    clock.advance(1_000);
    await Promise.resolve();
    expect(answered).toBeUndefined();
    const next = ask({ minIndex: 7 });
    streams[0]!.told(state(8));
    expect((await next).index).toBe(8);
  });

  it('shows a state that went back: seen on the stream, or by a stream that began after the caller came', async () => {
    const { streams, ask } = setUp();
    const other = setUp();
    const first = ask();
    streams[0]!.told(state(90));
    await first;
    streams[0]!.told(state(40));
    expect((await ask({ minIndex: 90 })).index).toBe(40);
    const late = other.ask({ minIndex: 90 });
    other.streams[0]!.told(state(40));
    expect((await late).index).toBe(40);
  });

  it('fails as every request does when it never had a state and no server answers for the hold time', async () => {
    const { clock, streams, ask } = setUp();
    const asked = ask();
    streams[0]!.ended(gone);
    clock.advance(holdMs);
    await expect(asked).rejects.toBe(gone);
  });

  it('tells a refusal to all who wait and forgets the topic', async () => {
    const { streams, ask, cache } = setUp();
    const refusal = new Refusal('denied', 'Permission denied');
    const asked = [ask(), ask()];
    streams[0]!.ended(refusal);
    for (const each of asked) await expect(each).rejects.toBe(refusal);
    expect(cache.size).toBe(0);
  });

  it('drops a topic that nobody asked for in ten minutes, and its stream', async () => {
    const { clock, streams, ask, cache } = setUp();
    const first = ask();
    streams[0]!.told(state(5));
    await first;
    clock.advance(599_999);
    expect(cache.size).toBe(1);
    clock.advance(1);
    expect([cache.size, streams[0]!.signal.aborted]).toEqual([0, true]);
  });

  it('ends who waits when the agent stops', async () => {
    const { ask, cache, clock } = setUp();
    const asked = ask();
    cache.stop();
    await expect(asked).rejects.toMatchObject({ code: 'stopped' });
    expect(clock.pendingMs).toEqual([]);
  });
});
