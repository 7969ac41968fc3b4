/** A server alone, on real Raft and LMDB: writes, reads of each consistency, blocking, restart, duties of a leader. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Server } from '../../../src/agent/server/index.ts';
import { Refusal } from '../../../src/fsm/index.ts';
import { eventually } from '../../support/eventually.ts';
import { caller, Members, nodeId, openServer, reading, serverMember } from './support.ts';

let directory: string;
const servers: Server[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'heddle-server-'));
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  rmSync(directory, { recursive: true, force: true });
});
async function open(...args: Parameters<typeof openServer>): Promise<Server> {
  const server = await openServer(...args);
  servers.push(server);
  return server;
}
const put = (server: Server, Key: string, value: string) =>
  server.apply('kv.set', { Key, Value: Buffer.from(value), Flags: 0 }, caller);
const get = async (server: Server, key: string, options = {}) =>
  server.query('kv.get', { key }, { ...reading, ...options });
const text = (value: Uint8Array | null | undefined): string | undefined =>
  value == null ? undefined : Buffer.from(value).toString();

it('takes a write at once after the start, and reads it in every way', async () => {
  const server = await open();
  expect(await put(server, 'a', '1')).toBe(true);
  for (const consistency of ['default', 'consistent', 'stale'] as const) {
    const answer = await get(server, 'a', { consistency });
    expect(text(answer.value?.Value)).toBe('1');
    expect(answer).toMatchObject({ knownLeader: true, lastContactMs: 0, notFound: false });
  }
});

it('has a default and a stale read at hand, and refuses each once it has stopped', async () => {
  const server = await open();
  await put(server, 'a', '1');
  for (const consistency of ['default', 'stale'] as const) {
    expect(server.query('kv.get', { key: 'a' }, { ...reading, consistency })).not.toBeInstanceOf(Promise);
  }
  await server.stop();
  for (const consistency of ['default', 'stale', 'consistent'] as const) {
    await expect(get(server, 'a', { consistency })).rejects.toMatchObject({ code: 'stopped' });
  }
});

it('has everything after a stop and a start', async () => {
  const first = await openServer({ dataDir: directory });
  await put(first, 'a', '1');
  const before = await get(first, 'a');
  await first.stop();
  const second = await open({ dataDir: directory });
  expect(second.state.opened).toBe('as left');
  expect(await get(second, 'a')).toMatchObject({ index: before.index, value: before.value });
  await put(second, 'a', '2');
  expect((await get(second, 'a')).index).toBeGreaterThan(before.index);
});

it('wakes a blocking read, and lets one go whose caller has gone', async () => {
  const server = await open();
  await put(server, 'a', '1');
  const { index } = await get(server, 'a');
  const blocked = get(server, 'a', { minIndex: index });
  const gone = new AbortController();
  const abandoned = get(server, 'a', { minIndex: index, signal: gone.signal });
  await eventually(() => (server.state.store.waiting === 2 ? true : undefined));
  gone.abort();
  await expect(abandoned).rejects.toMatchObject({ code: 'ABORTED' });
  await put(server, 'a', '2');
  expect(text((await blocked).value?.Value)).toBe('2');
});

it('hands on what a command refuses, before and after the log', async () => {
  const server = await open();
  const session = { ID: '', Name: '', Node: 's1', LockDelay: 0, Behavior: '', TTL: '', NodeChecks: [] };
  const create = (more: object) =>
    server.apply('session.create', { ...session, ServiceChecks: null, Checks: null, ...more }, caller);
  await expect(create({ Behavior: 'x' })).rejects.toEqual(new Refusal('failed', "Invalid Behavior setting 'x'"));
  await expect(create({ Node: 'ghost' })).rejects.toEqual(new Refusal('failed', 'Missing node registration'));
});

it('answers without a leader, after the hold, that there is none', async () => {
  const server = await open({ bootstrap: () => undefined, holdMs: 20 });
  const none = { code: 'noLeader', message: 'No cluster leader' };
  await expect(put(server, 'a', '1')).rejects.toMatchObject(none);
  for (const consistency of ['default', 'consistent', 'stale'] as const) {
    await expect(get(server, 'a', { consistency })).rejects.toMatchObject(none);
  }
  expect(await server.call('status.leader', {}, caller)).toBe('');
});

it('knows no other datacenter', async () => {
  const server = await open();
  const elsewhere = { ...caller, datacenter: 'dc9' };
  await expect(get(server, 'a', { caller: elsewhere })).rejects.toMatchObject({
    code: 'noPath',
    message: 'No path to datacenter',
  });
});

it('tells who leads and who takes part', async () => {
  const server = await open();
  await put(server, 'a', '1');
  expect(await server.call('status.leader', {}, caller)).toBe('127.0.14.1:8300');
  expect(await server.call('status.peers', {}, caller)).toEqual(['127.0.14.1:8300']);
  const one = { ID: nodeId, Node: 's1', Address: '127.0.14.1:8300', Leader: true, ProtocolVersion: '3', Voter: true };
  const LastIndex = server.raft.status().lastLogIndex;
  const found = await server.call('operator.raftConfiguration', {}, caller);
  expect(found).toEqual({ Servers: [{ ...one, LastIndex: expect.any(Number) }], Index: 0 });
  expect(found.Servers![0]!.LastIndex).toBeGreaterThanOrEqual(LastIndex);
  await expect(server.call('operator.removePeer', { id: 'x', address: '' }, caller)).rejects.toThrow(
    'id "x" was not found in the Raft configuration',
  );
});

describe('a leader', () => {
  it('registers itself, and members as they come, fail and leave', async () => {
    const members = new Members([serverMember('s1', '127.0.14.1', nodeId)]);
    const server = await open({}, { members });
    const health = async (node: string) =>
      (await server.query('health.node', { node }, reading)).value.find((check) => check.CheckID === 'serfHealth');
    const self = await eventually(() => health('s1'));
    expect(self).toMatchObject({ Name: 'Serf Health Status', Status: 'passing', Output: 'Agent alive and reachable' });
    const { value: consul } = await server.query('catalog.service', { name: 'consul' }, reading);
    expect(consul).toMatchObject([
      { Node: 's1', ServicePort: 8300, ServiceMeta: { raft_version: '3', version: '0.1.0' } },
    ]);

    const client = { ...serverMember('c1', '127.0.14.2', 'c'), tags: { role: 'node', dc: 'dc1', id: '' } };
    members.change([members.list[0]!, client]);
    await eventually(() => health('c1'));
    members.change([members.list[0]!, { ...client, status: 'failed' }]);
    await eventually(async () => ((await health('c1'))?.Status === 'critical' ? true : undefined));
    members.change([members.list[0]!, { ...client, status: 'left' }]);
    await eventually(async () => ((await health('c1')) === undefined ? true : undefined));
  });

  it('stores the first configuration of autopilot, once', async () => {
    const server = await open();
    const config = await eventually(
      async () => (await server.query('autopilot.configuration', {}, reading)).value ?? undefined,
    );
    expect(config).toMatchObject({ CleanupDeadServers: true, MaxTrailingLogs: 250, LastContactThreshold: 200_000_000 });
  });
});
