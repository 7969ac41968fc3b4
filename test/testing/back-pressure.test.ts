// Followers that fall silent or whose disks are slow, and clients that write 512 KiB values meanwhile: what a leader keeps for a
// follower and what it keeps uncommitted are bounded, what is refused says so, and nothing accepted is lost.
import { expect, it } from 'vitest';
import { defaultSettings, RaftError } from '../../src/raft/index.ts';
import { Cluster, type SimulatedCluster } from '../../src/testing/index.ts';

const value = 'x'.repeat(512 * 1024);
const entryBytesMax = value.length + 1_000;

async function followersOf(cluster: SimulatedCluster): Promise<[leader: number, one: number, two: number]> {
  const leader = await cluster.leader();
  const [one, two] = [0, 1, 2].filter((server) => server !== leader) as [number, number];
  return [leader, one, two];
}

it('of a silent follower a leader keeps no more on its way than one window', async () => {
  const cluster = await Cluster.simulate(3, { seed: 1 });
  const [leader, silent] = await followersOf(cluster);
  cluster.pause(silent);
  let most = 0;
  for (let i = 0; i < 60; i++) {
    await cluster.put(`k${i}`, value, { at: leader });
    for (const peer of cluster.status(leader)!.peers) most = Math.max(most, peer.inflightBytes);
  }
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(defaultSettings.inflightBytesMax + entryBytesMax);
  cluster.resume(silent);
  await cluster.advance(5_000);
  expect(cluster.stateHash(silent)).toBe(cluster.stateHash(leader));
}, 60_000);

it('while both followers write slowly, 64 MiB are taken and the rest is refused; what was taken is there', async () => {
  const cluster = await Cluster.simulate(3, { seed: 2, timeoutMs: 600_000 });
  const [leader, one, two] = await followersOf(cluster);
  for (const follower of [one, two]) cluster.slowDisk(follower, 2_000);
  const taken: string[] = [];
  const refused: string[] = [];
  let most = 0;
  await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      await cluster.advance(i);
      most = Math.max(most, cluster.status(leader)!.uncommittedBytes);
      await cluster.put(`k${i}`, value, { at: leader }).then(
        () => taken.push(`k${i}`),
        (error: unknown) => {
          expect(error).toBeInstanceOf(RaftError);
          expect((error as RaftError).code).toBe('overloaded');
          refused.push(`k${i}`);
        },
      );
    }),
  );
  expect(taken.length).toBeGreaterThan(50);
  expect(refused.length).toBeGreaterThan(20);
  expect(most).toBeLessThanOrEqual(defaultSettings.uncommittedBytesMax + entryBytesMax);
  for (const key of taken) expect((await cluster.get(key))?.value.length, key).toBe(value.length);
  for (const key of refused) expect(await cluster.get(key), key).toBeUndefined();
}, 60_000);
