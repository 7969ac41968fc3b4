// What happens to hosts, as the catalog of three servers shows it: they come, fail, come back, leave; and a plain Serf agent
// is a host like any other when its tags say so.
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SerfAgent, serfInstalled } from '../../gossip/support/serf-agent.ts';
import { until } from '../../support/eventually.ts';
import { AgentCluster } from './support.ts';

interface Check {
  CheckID: string;
  Status: string;
  Output: string;
}

const cluster = new AgentCluster('127.0.19');
beforeAll(() => cluster.servers(3), 60_000);
afterAll(() => cluster.close());

const someServer = (): string => [...cluster.agents.keys()].find((name) => name.startsWith('s'))!;
const serfHealth = (node: string, wanted: string) =>
  until(
    async () =>
      (await cluster.get<Check[]>(someServer(), `/v1/health/node/${node}`)).find(
        ({ CheckID }) => CheckID === 'serfHealth',
      )?.Status ?? 'absent',
    (status) => status === wanted,
  );

describe('a host', () => {
  it('that fails turns critical, and passing again when its agent is back with the same data', async () => {
    await cluster.start('c1', {}, 11);
    await serfHealth('c1', 'passing');
    await cluster.crash('c1');
    await serfHealth('c1', 'critical');
    await cluster.start('c1', {}, 11);
    await serfHealth('c1', 'passing');
  });

  it('that leaves is gone from the catalog, with its services', async () => {
    await cluster.put('c1', '/v1/agent/service/register', { Name: 'web' });
    await until(
      () => cluster.get<unknown[]>(someServer(), '/v1/catalog/service/web'),
      (rows) => rows.length === 1,
    );
    expect(await cluster.put('c1', '/v1/agent/leave')).toBe('200 ');
    await serfHealth('c1', 'absent');
    expect(await cluster.get(someServer(), '/v1/catalog/service/web')).toEqual([]);
    await cluster.crash('c1');
  });

  it('that failed goes at once when an operator forces it to leave, from the members too when it is pruned', async () => {
    await cluster.start('c2', {}, 12);
    await serfHealth('c2', 'passing');
    await cluster.crash('c2');
    await serfHealth('c2', 'critical');
    expect(await cluster.put(someServer(), '/v1/agent/force-leave/c2?prune')).toBe('200 ');
    await serfHealth('c2', 'absent');
    for (const server of ['s1', 's2', 's3']) {
      await until(
        () => cluster.get<{ Name: string }[]>(server, '/v1/agent/members'),
        (members) => members.every(({ Name }) => Name !== 'c2'),
      );
    }
  });

  it('that failed together with the leader turns critical under the next one', async () => {
    await cluster.start('c3', {}, 13);
    await serfHealth('c3', 'passing');
    const leader = await cluster.leader();
    await Promise.all([cluster.crash('c3'), cluster.crash(leader)]);
    await serfHealth('c3', 'critical');
    await serfHealth(leader, 'critical');
    // Two of three are left, and nobody has come to take its place: the dead server keeps its vote.
    const { Servers } = await cluster.get<{ Servers: unknown[] }>(someServer(), '/v1/operator/raft/configuration');
    expect(Servers).toHaveLength(3);
    await cluster.start(leader, { server: true, bootstrap_expect: 3 }, Number(leader.slice(1)));
    await serfHealth(leader, 'passing');
  }, 60_000);
});

describe.skipIf(!serfInstalled)('a plain Serf agent', () => {
  it('becomes a node when it is tagged as one, and turns critical when it fails; another one stays out of the catalog', async () => {
    const [member] = await cluster.get<{ Addr: string; Port: number }[]>(someServer(), '/v1/agent/members');
    const seed = `${member!.Addr}:${member!.Port}`;
    const node = await SerfAgent.start({
      name: 'plain',
      address: '127.0.19.21',
      tags: { role: 'node', dc: 'dc1' },
      profile: 'lan',
    });
    const stranger = await SerfAgent.start({ name: 'stranger', address: '127.0.19.22', profile: 'lan' });
    try {
      for (const agent of [node, stranger]) await agent.cli('join', seed);
      await serfHealth('plain', 'passing');
      const [row] = await cluster.get<{ Address: string }[]>(someServer(), '/v1/catalog/nodes?filter=Node==plain');
      expect(row).toMatchObject({ Address: '127.0.19.21' });
      const names = (await cluster.get<{ Name: string }[]>(someServer(), '/v1/agent/members')).map(({ Name }) => Name);
      expect(names).toContain('stranger');
      expect(await cluster.get(someServer(), '/v1/health/node/stranger')).toEqual([]);
      await node.kill();
      await serfHealth('plain', 'critical');
    } finally {
      await Promise.all([node.stop(), stranger.stop()]);
    }
  }, 60_000);
});

it('Serf is here, or its absence is told', () => {
  if (!serfInstalled) console.warn('serf is not installed: a plain Serf agent was not tried');
  expect(spawnSync('serf', ['version']).status === 0).toBe(serfInstalled);
});
