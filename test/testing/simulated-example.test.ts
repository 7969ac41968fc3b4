import { expect, it } from 'vitest';
import { Cluster } from '../../src/testing/index.ts';

it('a leader that is cut off for a minute takes no write, and nothing acknowledged is lost', async () => {
  const cluster = await Cluster.simulate(3, { seed: 'tuesday' });
  await cluster.put('colour', 'green');

  const lonely = await cluster.leader();
  const others = [0, 1, 2].filter((server) => server !== lonely);
  cluster.partition([lonely], others);
  await cluster.advance(60_000); // virtual: a fraction of a second here
  expect(others).toContain(await cluster.leader());
  await cluster.put('shape', 'round');
  await expect(cluster.put('shape', 'square', { at: lonely })).rejects.toThrow('not the leader');

  cluster.heal();
  cluster.crash(await cluster.leader(), { powerLoss: true });
  expect((await cluster.get('colour'))?.value).toBe('green');
  expect((await cluster.get('shape'))?.value).toBe('round');
  await cluster.close();
});
