// What an operator does who replaces a disk, and who takes out a dead server by hand: the same node comes back empty under its old
// id and has no word in anything until it has caught up; a server that was removed before gossip noticed its death stays out.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../support/eventually.ts';
import { AgentCluster } from './support.ts';

interface RaftServer {
  ID: string;
  Node: string;
  Address: string;
  Voter: boolean;
}

const cluster = new AgentCluster('127.0.46');
const given = { server: true, bootstrap_expect: 3, autopilot: { server_stabilization_time: '1s' } };
beforeAll(() => cluster.servers(3, given), 60_000);
afterAll(() => cluster.close());

const names = ['s1', 's2', 's3'];
const raftServers = async (at: string): Promise<RaftServer[]> =>
  (await cluster.get<{ Servers: RaftServer[] }>(at, '/v1/operator/raft/configuration')).Servers;
const threeVoters = (at: string) =>
  until(
    () => raftServers(at).catch(() => []),
    (servers) => servers.length === 3 && servers.every(({ Voter }) => Voter),
  );
/** Asked again while nobody leads: on a busy machine an election may outlast what a request waits for it. */
const written = (at: string, path: string, value: string) =>
  until(
    () => cluster.put(at, path, value),
    (answer) => answer === '200 true',
  );

it.each(['a follower', 'the leader'])(
  '%s whose disk was replaced is taken in anew under its old id, and counts again',
  async (who) => {
    const leader = await cluster.leader();
    const name = who === 'the leader' ? leader : names.find((each) => each !== leader)!;
    const other = names.find((each) => each !== name)!;
    const before = await threeVoters(other);
    await cluster.crash(name);
    const folder = join(cluster.folder, name);
    const nodeId = readFileSync(join(folder, 'node-id'), 'utf8');
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    writeFileSync(join(folder, 'node-id'), nodeId);
    await written(other, '/v1/kv/meanwhile', who);
    const mark = cluster.log.length;
    const said = (text: string) =>
      until(
        async () => cluster.log.slice(mark).some((line) => line.includes(text)),
        (found) => found,
      );
    await cluster.start(name, given, Number(name.slice(1)));
    await said('a voter came back without its log');
    await said(`a server becomes a voter: id=${nodeId}`);
    const after = await threeVoters(other);
    expect(after.map(({ ID }) => ID).sort()).toEqual(before.map(({ ID }) => ID).sort());
    const stale = await fetch(`${cluster.agent(name).httpAddress}/v1/kv/meanwhile?stale&raw`);
    expect([stale.status, await stale.text()]).toEqual([200, who]);
    // With a third one away, a majority needs the one with the new disk.
    const third = names.find((each) => each !== name && each !== other)!;
    await cluster.crash(third);
    await written(other, '/v1/kv/with', 'the new disk');
    await cluster.start(third, given, Number(third.slice(1)));
    await threeVoters(other);
  },
  120_000,
);

it('a dead server that is removed before gossip knows of its death stays out, and comes in when it lives', async () => {
  const leader = await cluster.leader();
  const name = names.find((each) => each !== leader)!;
  const { ID } = (await raftServers(leader)).find(({ Node }) => Node === name)!;
  await cluster.crash(name);
  const mark = cluster.log.length;
  expect(await cluster.put(leader, `/v1/operator/raft/peer?id=${ID}`, undefined, 'DELETE')).toBe('200 ');
  const statuses = (await cluster.get<{ Name: string; Status: number }[]>(leader, '/v1/agent/members')).filter(
    (member) => member.Name === name,
  );
  expect(statuses).toMatchObject([{ Status: 1 }]);
  await until(
    () => cluster.get<{ Name: string; Status: number }[]>(leader, '/v1/agent/members'),
    (members) => members.some((member) => member.Name === name && member.Status === 4),
  );
  expect(await raftServers(leader)).toHaveLength(2);
  expect(cluster.log.slice(mark).filter((line) => line.includes('taking a server into'))).toEqual([]);
  await cluster.start(name, given, Number(name.slice(1)));
  await threeVoters(leader);
}, 90_000);
