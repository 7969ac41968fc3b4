// Servers come and go: a new one joins and gets a vote, a dead one is taken out when its place is filled, one leaves in good
// order, the leader too, one comes back at another address, one comes back without its data.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../support/eventually.ts';
import { AgentCluster } from './support.ts';

interface RaftServer {
  ID: string;
  Node: string;
  Address: string;
  Voter: boolean;
  Leader: boolean;
}

const cluster = new AgentCluster('127.0.19');
beforeAll(async () => {
  await cluster.servers(3);
  const stable = {
    CleanupDeadServers: true,
    LastContactThreshold: '1s',
    MaxTrailingLogs: 250,
    ServerStabilizationTime: '1s',
  };
  expect(await cluster.put('s1', '/v1/operator/autopilot/configuration', stable)).toBe('200 true');
}, 60_000);
afterAll(() => cluster.close());

const anyServer = (): string => [...cluster.agents.keys()][0]!;
const raftServers = async (): Promise<RaftServer[]> =>
  (await cluster.get<{ Servers: RaftServer[] }>(anyServer(), '/v1/operator/raft/configuration')).Servers;
const voters = (wanted: readonly string[]) =>
  until(
    async () =>
      (await raftServers().catch(() => []))
        .filter(({ Voter }) => Voter)
        .map(({ Node }) => Node)
        .sort(),
    (names) => names.join() === [...wanted].sort().join(),
  );
const writes = async (key: string) => {
  for (const name of cluster.agents.keys())
    expect(await cluster.put(name, `/v1/kv/${key}-${name}`, 'x')).toBe('200 true');
};
const expectsThree = { server: true, bootstrap_expect: 3 };

it('a new server is taken in without a vote, and gets one when it was healthy for long enough', async () => {
  await cluster.start('s4', { server: true });
  await voters(['s1', 's2', 's3', 's4']);
  await writes('four');
}, 60_000);

it('a dead server is taken out when a new one has come, and not before', async () => {
  await cluster.crash('s4');
  await until(
    () => cluster.get<{ Name: string; Status: number }[]>(anyServer(), '/v1/agent/members'),
    (members) => members.some(({ Name, Status }) => Name === 's4' && Status === 4),
  );
  expect(await raftServers()).toHaveLength(4);
  await cluster.start('s5', { server: true });
  await voters(['s1', 's2', 's3', 's5']);
}, 60_000);

it('a server that leaves is out of Raft and of the catalog, and so is the leader when it leaves', async () => {
  await cluster.agent('s5').leave();
  await cluster.crash('s5');
  await voters(['s1', 's2', 's3']);
  const leader = await cluster.leader();
  await cluster.agent(leader).leave();
  await cluster.crash(leader);
  const rest = ['s1', 's2', 's3'].filter((name) => name !== leader);
  await voters(rest);
  await until(
    () => cluster.get<{ Node: string }[]>(anyServer(), '/v1/catalog/nodes'),
    (nodes) => nodes.every(({ Node }) => Node !== leader && Node !== 's5'),
  );
  await writes('left');
  // It comes back with what it has, and is taken in again.
  await cluster.start(leader, { ...expectsThree, rejoin_after_leave: true }, Number(leader.slice(1)));
  await voters(['s1', 's2', 's3']);
}, 90_000);

// Its node id shows that it is the same: gossip takes it in as soon as it knows that the old one is dead.
it('a server that comes back at another address is the same server', async () => {
  const name = (await cluster.leader()) === 's2' ? 's3' : 's2';
  const before = (await raftServers()).find(({ Node }) => Node === name)!;
  await cluster.crash(name);
  await cluster.start(name, expectsThree, 30);
  const after = await until(
    async () => (await raftServers()).find(({ Node }) => Node === name),
    (server) => server?.Address.startsWith('127.0.19.30:') === true && server.Voter,
  );
  expect(after).toMatchObject({ ID: before.ID, Node: name, Voter: true, Leader: false });
  expect(await raftServers()).toHaveLength(3);
  await writes('moved');
}, 60_000);

it('a server that lost its data comes back as a new one and takes its own old place', async () => {
  const name = (await cluster.leader()) === 's3' ? 's1' : 's3';
  await cluster.crash(name);
  await until(
    () => cluster.get<{ Name: string; Status: number }[]>(anyServer(), '/v1/agent/members'),
    (members) => members.some(({ Name, Status }) => Name === name && Status === 4),
  );
  rmSync(join(cluster.folder, name), { recursive: true });
  await cluster.start(name, expectsThree, Number(name.slice(1)));
  await voters(['s1', 's2', 's3']);
  expect(await raftServers()).toHaveLength(3);
  await writes('wiped');
}, 120_000);
