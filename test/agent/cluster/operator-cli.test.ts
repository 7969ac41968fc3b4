// The life of a cluster by the command line alone, each command at another server's door: it grows, shrinks by hand, moves its
// leader, changes autopilot's settings, and is repaired by peers.json after its majority is lost for good.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { heddle as run } from '../../support/cli.ts';
import { eventually, until } from '../../support/eventually.ts';
import { AgentCluster } from './support.ts';

interface Listed {
  readonly node: string;
  readonly id: string;
  readonly address: string;
  readonly state: string;
  readonly voter: boolean;
}

const cluster = new AgentCluster('127.0.12');
const autopilot = { server_stabilization_time: '300ms', last_contact_threshold: '750ms', cleanup_dead_servers: false };
beforeAll(() => cluster.servers(3, { autopilot }), 60_000);
afterAll(() => cluster.close());

/** Runs a command at one server's door; it must succeed. */
async function heddle(at: string, ...words: string[]): Promise<string> {
  const { exit, out, err } = await failing(at, ...words);
  expect([exit, err]).toEqual([0, '']);
  return out;
}
const failing = (at: string, ...words: string[]) =>
  run([...words.slice(0, 3), `-http-addr=${cluster.agent(at).httpAddress}`, ...words.slice(3)]);

/** What `list-peers` shows, as a person reads it. */
async function listPeers(at: string): Promise<Listed[]> {
  const [, ...lines] = (await heddle(at, 'operator', 'raft', 'list-peers')).trim().split('\n');
  return lines.map((line) => {
    const [node, id, address, state, voter] = line.split(/\s{2,}/) as [string, string, string, string, string];
    return { node, id, address, state, voter: voter === 'true' };
  });
}
const votersAre = (at: string, ...names: string[]): Promise<Listed[]> =>
  until(
    () => listPeers(at),
    (list) =>
      list
        .filter(({ voter }) => voter)
        .map(({ node }) => node)
        .sort()
        .join() === names.join(),
  );
const follower = async (): Promise<string> => {
  const leader = await cluster.leader();
  return [...cluster.agents.keys()].find((name) => name !== leader)!;
};

it('grows: a server that joins is listed, and gets a vote', async () => {
  await cluster.start('s4', { server: true, autopilot });
  const list = await votersAre(await follower(), 's1', 's2', 's3', 's4');
  expect(list.filter(({ state }) => state === 'leader').map(({ node }) => node)).toEqual([await cluster.leader()]);
}, 60_000);

it('shrinks: a server that is gone for good is removed by its address, another by its id', async () => {
  const at = (await cluster.leader()) === 's4' ? 's3' : 's4';
  const gone = (await listPeers('s1')).find(({ node }) => node === at)!;
  await cluster.crash(at);
  const door = await follower();
  // While gossip still takes it for alive, the leader would take it in again.
  await until(
    () => cluster.get<{ Name: string; Status: number }[]>(door, '/v1/agent/members'),
    (members) => members.some(({ Name, Status }) => Name === at && Status === 4),
  );
  expect(await heddle(door, 'operator', 'raft', 'remove-peer', `-address=${gone.address}`)).toContain(
    `Removed peer with address "${gone.address}"`,
  );
  expect((await listPeers(door)).map(({ node }) => node)).not.toContain(at);
  const again = await failing(door, 'operator', 'raft', 'remove-peer', `-id=${gone.id}`);
  expect(again.exit).toBe(1);
  expect(again.err).toContain(`id "${gone.id}" was not found in the Raft configuration`);
  expect(await cluster.put(door, '/v1/kv/shrunk', 'x')).toBe('200 true');
}, 60_000);

it('moves: leadership goes where it is told', async () => {
  const to = await follower();
  const { id } = (await listPeers(to)).find(({ node }) => node === to)!;
  expect(await heddle(to, 'operator', 'raft', 'transfer-leader', `-id=${id}`)).toContain('Success');
  await until(
    () => cluster.leader(),
    (name) => name === to,
  );
  expect((await listPeers(await follower())).find(({ state }) => state === 'leader')?.node).toBe(to);
  const stranger = await failing(to, 'operator', 'raft', 'transfer-leader', '-id=nobody');
  expect(stranger.exit).toBe(1);
  expect(await cluster.leader()).toBe(to);
}, 60_000);

it('autopilot: settings are changed one by one, and its state is told', async () => {
  const door = await follower();
  expect(await heddle(door, 'operator', 'autopilot', 'set-config', '-max-trailing-logs=777')).toContain('updated');
  const settings = await heddle(await cluster.leader(), 'operator', 'autopilot', 'get-config');
  expect(settings).toMatch(/MaxTrailingLogs = 777/);
  expect(settings).toMatch(/CleanupDeadServers = false/);
  expect((await failing(door, 'operator', 'autopilot', 'set-config', '-cleanup-dead-servers=maybe')).exit).toBe(1);
  const state = await eventually(async () => {
    const found = JSON.parse(await heddle(door, 'operator', 'autopilot', 'state', '-format=json')) as {
      Healthy: boolean;
      Voters: string[];
      Leader: string;
    };
    return found.Healthy ? found : undefined;
  });
  const list = await listPeers(door);
  expect([...state.Voters].sort()).toEqual(list.map(({ id }) => id).sort());
  expect(state.Leader).toBe(list.find(({ state: role }) => role === 'leader')?.id);
  expect(await heddle(door, 'operator', 'autopilot', 'state')).toMatch(/Healthy:\s+true/);
}, 60_000);

it('repair: of a lost majority one server is left, and leads again after peers.json', async () => {
  expect(await cluster.put(await cluster.leader(), '/v1/kv/kept', 'treasure')).toBe('200 true');
  const left = await cluster.leader();
  const { id, address } = (await listPeers(left)).find(({ node }) => node === left)!;
  const host = Number(left.slice(1));
  for (const name of [...cluster.agents.keys()]) await cluster.crash(name);
  const file = join(cluster.folder, left, 'raft', 'peers.json');
  writeFileSync(file, JSON.stringify([{ id, address, non_voter: false }]));
  await cluster.start(left, { server: true, bootstrap_expect: 3, autopilot }, host);
  expect(await listPeers(left)).toMatchObject([{ node: left, id, state: 'leader', voter: true }]);
  const read = await run(['kv', 'get', `-http-addr=${cluster.agent(left).httpAddress}`, 'kept']);
  expect(read.out).toContain('treasure');
  expect(await cluster.put(left, '/v1/kv/after', 'x')).toBe('200 true');
  expect(JSON.parse(readFileSync(`${file}.applied`, 'utf8'))).toHaveLength(1);
}, 60_000);
