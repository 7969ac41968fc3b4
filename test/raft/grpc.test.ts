/** Three servers over gRPC on the loopback: what the network between real processes must do. */

import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Configuration,
  GrpcTransport,
  openRaftLog,
  RaftNode,
  type RaftSettings,
  systemClock,
} from '../../src/raft/index.ts';
import { raftService } from '../../src/raft/transport/service.ts';
import type { Frame } from '../../src/raft/transport/wire.ts';
import { seededRandom } from '../../src/std/random.ts';
import { encode, KvMachine } from './support/kv.ts';

const host = '127.0.11.1';
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Member {
  readonly node: RaftNode;
  readonly machine: KvMachine;
  readonly address: string;
}

async function start(
  id: string,
  address: string,
  bootstrap: Configuration | undefined,
  settings = {},
): Promise<Member> {
  const directory = mkdtempSync(join(tmpdir(), 'raft-grpc-'));
  const machine = new KvMachine();
  const node = await RaftNode.open(
    { id, clusterId: 'test', settings: settings as Partial<RaftSettings>, ...(bootstrap ? { bootstrap } : {}) },
    {
      log: await openRaftLog(directory),
      transport: new GrpcTransport({ id, clusterId: 'test', listen: address, checkpointChunkBytes: 1_000 }),
      clock: systemClock,
      random: seededRandom(id),
      stateMachine: machine,
    },
  );
  stops.push(async () => {
    await node.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  return { node, machine, address };
}

async function three(settings = {}): Promise<Member[]> {
  const ids = ['a', 'b', 'c'];
  const addresses = Object.fromEntries(await Promise.all(ids.map(async (id) => [id, `${host}:${await freePort()}`])));
  const bootstrap: Configuration = { voters: ids, votersOutgoing: [], learners: [], addresses };
  return Promise.all(ids.map((id) => start(id, addresses[id]!, bootstrap, settings)));
}

const leaderOf = (members: readonly Member[]): Promise<Member> =>
  new Promise((resolve) => {
    for (const member of members) member.node.onLeadership((isLeader) => isLeader && resolve(member));
  });

describe('three servers over gRPC', () => {
  it('replicate, and replace a leader that goes away', async () => {
    const members = await three();
    const first = await leaderOf(members);
    await Promise.all(Array.from({ length: 200 }, (_, i) => first.node.propose(encode({ key: `k${i}`, to: 'x' }))));
    const others = members.filter((member) => member !== first);
    const second = leaderOf(others);
    await first.node.stop();
    const next = await second;
    await next.node.propose(encode({ key: 'after', to: 'y' }));
    expect(next.machine.state.size).toBe(201);
  });

  it('send a checkpoint to a newcomer in many chunks', async () => {
    const members = await three({ trailingEntries: 1 });
    const leader = await leaderOf(members);
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => leader.node.propose(encode({ key: `k${i}`, to: 'x'.repeat(200) }))),
    );
    const { index, sizeBytes } = await leader.node.checkpoint();
    expect(sizeBytes).toBeGreaterThan(20_000);
    const newcomer = await start('d', `${host}:${await freePort()}`, undefined);
    await leader.node.changeMembership({ addLearners: [{ id: 'd', address: newcomer.address }] });
    await newcomer.node.waitApplied(index);
    expect(newcomer.machine.state.size).toBe(100);
    expect(newcomer.node.status().prefixIndex).toBe(index);
  });

  it('refuse a stream of another cluster, or for another server', async () => {
    const [member] = await three();
    const { path, requestSerialize, responseDeserialize } = raftService.messages;
    for (const hello of [
      { clusterId: 'other', from: 'x', to: 'a', bulk: false },
      { clusterId: 'test', from: 'x', to: 'b', bulk: false },
    ]) {
      const client = new Client(member!.address, credentials.createInsecure());
      const decode = responseDeserialize as unknown as (bytes: Buffer) => Frame;
      const stream = client.makeBidiStreamRequest<object, Frame>(path, requestSerialize, decode);
      const failed = new Promise<{ details?: string }>((resolve) => stream.on('error', resolve));
      stream.on('data', () => expect.unreachable('an answer'));
      stream.write({ hello });
      expect((await failed).details).toContain('a peer sent something that cannot be accepted');
      client.close();
    }
  });
});
