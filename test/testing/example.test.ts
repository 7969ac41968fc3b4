import { afterAll, beforeAll, expect, it } from 'vitest';
import { Cluster } from '../../src/testing/index.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start(3);
}, 60_000);
afterAll(() => cluster.close());

const put = (server: number, key: string, value: string) =>
  fetch(`${cluster.httpAddresses[server]}/v1/kv/${key}`, { method: 'PUT', body: value });
const get = (server: number, key: string) => fetch(`${cluster.httpAddresses[server]}/v1/kv/${key}?raw`);

it('what was acknowledged survives the leader', async () => {
  const first = await cluster.leader();
  expect((await put(first, 'colour', 'green')).status).toBe(200);
  await cluster.stop(first);
  const second = await cluster.leader();
  expect(await (await get(second, 'colour')).text()).toBe('green');
  await cluster.restart(first);
}, 60_000);

it('a leader that is cut off takes no write, the others do', async () => {
  const lonely = await cluster.leader();
  const others = [0, 1, 2].filter((server) => server !== lonely);
  cluster.partition([lonely], others);
  const leader = await cluster.leader();
  expect(others).toContain(leader);
  expect((await put(leader, 'shape', 'round')).status).toBe(200);
  expect((await put(lonely, 'shape', 'square')).status).toBe(500);
  cluster.heal();
  expect(await (await get(await cluster.leader(), 'shape')).text()).toBe('round');
}, 60_000);
