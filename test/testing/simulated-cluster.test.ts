// A simulated cluster keeps its promises: the same seed is the same run, faults do what they say, and the state is Heddle's own.
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../src/fsm/index.ts';
import { seededRandom } from '../../src/std/random.ts';
import { decode, registerRequest } from '../../src/structs/index.ts';
import { Cluster, type SimulatedCluster } from '../../src/testing/index.ts';

const everyone = (cluster: SimulatedCluster): number[] => Array.from({ length: cluster.size }, (_, i) => i);

/** A storm: writes from several clients while leaders die, links break and messages are lost. Returns the log of it. */
async function storm(seed: string): Promise<{ log: string[]; acknowledged: Map<string, string>; hashes: string[] }> {
  const log: string[] = [];
  const cluster = await Cluster.simulate(3, { seed, log: (line) => log.push(line), raft: { checkpointEntries: 40 } });
  const random = seededRandom(seed).stream('storm');
  const acknowledged = new Map<string, string>();
  const client = async (name: number): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      const key = `${name}/${i}`;
      try {
        await cluster.put(key, `${i}`);
        acknowledged.set(key, `${i}`);
        log.push(`${cluster.nowMs} acknowledged ${key}`);
      } catch (error) {
        log.push(`${cluster.nowMs} ${(error as { code?: string }).code}`);
      }
      await cluster.advance(random.int(1, 200));
    }
  };
  const trouble = async (): Promise<void> => {
    for (let i = 0; i < 6; i++) {
      const victim = random.pick(everyone(cluster));
      cluster.disturb({ loss: 0.05, duplicates: 0.05, late: 0.02 });
      cluster.crash(victim, { powerLoss: random.chance(0.5) });
      await cluster.advance(random.int(100, 1000));
      await cluster.restart(victim);
      cluster.partition([random.pick(everyone(cluster))]);
      await cluster.advance(random.int(100, 1000));
      cluster.heal();
    }
  };
  await Promise.all([client(1), client(2), client(3), trouble()]);
  await cluster.advance(5_000);
  for (const [key, value] of acknowledged) expect((await cluster.get(key))?.value, key).toBe(value);
  const hashes = everyone(cluster).map((server) => cluster.stateHash(server));
  await cluster.close();
  return { log, acknowledged, hashes };
}

describe('a storm', () => {
  it('loses nothing that was acknowledged, and all servers end with the same state', async () => {
    const { acknowledged, hashes } = await storm('storm 1');
    expect(acknowledged.size).toBeGreaterThan(60);
    expect(new Set(hashes).size).toBe(1);
  });

  it('is the same again with the same seed, and another with another', async () => {
    const [first, again, other] = [await storm('storm 2'), await storm('storm 2'), await storm('storm 3')];
    expect(again.log).toEqual(first.log);
    expect(again.hashes).toEqual(first.hashes);
    expect(other.log).not.toEqual(first.log);
  });
});

it('time passes by what is awaited, exactly', async () => {
  const cluster = await Cluster.simulate(1, { seed: 1 });
  const before = cluster.nowMs;
  await Promise.all([cluster.advance(10_000), cluster.advance(2_500)]);
  expect(cluster.nowMs).toBe(before + 10_000);
});

it('the state is the real one: sessions lock, refusals say why, indexes compare', async () => {
  const cluster = await Cluster.simulate(3, { seed: 2 });
  const node = decode(registerRequest, { Node: 'web', Address: '10.0.0.1' }, { naming: 'api', unknown: 'refuse' });
  if (!node.ok) throw new Error(node.error);
  await cluster.apply('catalog.register', node.value);
  const wish = { ID: '', Name: '', Node: 'web', LockDelay: 0, Behavior: '', TTL: '' };
  const session = await cluster.apply('session.create', { ...wish, NodeChecks: [], ServiceChecks: null, Checks: null });
  expect(session).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  const lock = { Key: 'lock', Value: null, Flags: 0, Session: session };
  expect(await cluster.apply('kv.acquire', lock)).toBe(true);
  await expect(cluster.apply('kv.acquire', { ...lock, Session: 'x' })).rejects.toThrow(Refusal);
  await cluster.put('a', '1');
  const index = (await cluster.get('a', { consistency: 'consistent' }))?.modifyIndex ?? 0;
  expect(await cluster.cas('a', '2', index)).toBe(true);
  expect(await cluster.cas('a', '3', index)).toBe(false);
  expect(await cluster.cas('new', '', 0)).toBe(true);
  expect(await cluster.get('nowhere')).toBeUndefined();
  expect((await cluster.get('a'))?.value).toBe('2');
});

it('a paused server does nothing and catches up; what it answers as stale is old', async () => {
  const cluster = await Cluster.simulate(3, { seed: 3 });
  const sleeper = ((await cluster.leader()) + 1) % 3;
  await cluster.put('a', 'old');
  await cluster.advance(100);
  cluster.pause(sleeper);
  await cluster.put('a', 'new');
  expect((await cluster.get('a', { at: sleeper, consistency: 'stale' }))?.value).toBe('old');
  cluster.resume(sleeper);
  await cluster.advance(1_000);
  expect((await cluster.get('a', { at: sleeper, consistency: 'stale' }))?.value).toBe('new');
});

it('a leader that falls silent is replaced, and learns of it', async () => {
  const cluster = await Cluster.simulate(5, { seed: 4 });
  const first = await cluster.leader();
  cluster.pause(first);
  await cluster.advance(2_000);
  const second = await cluster.leader();
  expect(second).not.toBe(first);
  cluster.resume(first);
  await cluster.advance(1_000);
  expect(cluster.status(first)?.role).toBe('follower');
});

it('a server that comes back after a checkpoint is sent it', async () => {
  const cluster = await Cluster.simulate(3, { seed: 5, raft: { checkpointEntries: 20, trailingEntries: 5 } });
  const late = ((await cluster.leader()) + 1) % 3;
  cluster.crash(late);
  for (let i = 0; i < 100; i++) await cluster.put(`k${i}`, `${i}`);
  expect(cluster.status(await cluster.leader())?.prefixIndex).toBeGreaterThan(50);
  await cluster.restart(late);
  await cluster.advance(2_000);
  expect((await cluster.get('k0', { at: late, consistency: 'stale' }))?.value).toBe('0');
  expect(cluster.stateHash(late)).toBe(cluster.stateHash(await cluster.leader()));
});

it('a server whose disk fails stops, and starts again on what is there', async () => {
  const cluster = await Cluster.simulate(3, { seed: 6 });
  const leader = await cluster.leader();
  cluster.failDisk(leader);
  await expect(cluster.put('a', '1', { at: leader })).rejects.toMatchObject({ code: 'stopped' });
  expect(cluster.isRunning(leader)).toBe(false);
  await cluster.put('b', '2');
  await cluster.restart(leader);
  await cluster.advance(1_000);
  expect((await cluster.get('b', { at: leader, consistency: 'stale' }))?.value).toBe('2');
});

it('a slow disk of a follower holds no write up; of two, it does', async () => {
  const cluster = await Cluster.simulate(3, { seed: 7 });
  const leader = await cluster.leader();
  const [one, two] = everyone(cluster).filter((server) => server !== leader) as [number, number];
  const took = async (): Promise<number> => {
    const before = cluster.nowMs;
    await cluster.put(`at ${before}`, 'x');
    return cluster.nowMs - before;
  };
  cluster.slowDisk(one, 500);
  expect(await took()).toBeLessThan(100);
  cluster.slowDisk(two, 500);
  expect(await took()).toBeGreaterThan(80);
});

it('one direction of a link can be cut', async () => {
  const cluster = await Cluster.simulate(3, { seed: 8 });
  const leader = await cluster.leader();
  const deaf = (leader + 1) % 3;
  cluster.cut(leader, deaf);
  await cluster.put('a', '1');
  await cluster.advance(5);
  expect(await cluster.get('a', { at: deaf, consistency: 'stale' })).toBeUndefined();
});

it('says what it waited for in vain, with the seed', async () => {
  const cluster = await Cluster.simulate(3, { seed: 'nine', timeoutMs: 2_000 });
  cluster.partition([0], [1], [2]);
  await expect(cluster.put('a', '1')).rejects.toThrow('2000 virtual ms in vain for a leader (seed nine)');
  expect(() => cluster.crash(3)).toThrow('there is no server 3');
  await expect(Cluster.simulate(0)).rejects.toThrow('at least one server');
});
