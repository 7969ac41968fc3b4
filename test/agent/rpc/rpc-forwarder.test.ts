/**
 * What a follower does with requests that wait at a leader, when it hears of another leader or of none: reads are asked again
 * elsewhere, writes have a moment. The leader here takes everything and answers nothing, as one does behind a cut link.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RpcForwarder } from '../../../src/agent/rpc/rpc-forwarder.ts';
import type { Backend, ReadOptions, Snapshots } from '../../../src/api/backend.ts';
import { RpcDoor } from '../../../src/api/rpc/index.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const caller = { token: '', address: '', call: 'test', datacenter: '' };
const read: ReadOptions = { caller, consistency: 'default', minIndex: 5 };
let server: Server;
let forwarder: RpcForwarder;
let clock: VirtualClock;
let arrivals: number;
let arrived: () => void;

beforeEach(async () => {
  arrivals = 0;
  arrived = () => undefined;
  const silent = (): Promise<never> => {
    arrivals++;
    arrived();
    return new Promise(() => undefined);
  };
  server = new Server();
  new RpcDoor({
    backend: { datacenter: 'dc1', nodeName: 'old', apply: silent, query: silent, call: silent } as unknown as Backend,
    snapshots: {} as Snapshots,
    leading: () => true,
    onUnexpected: () => undefined,
  }).register(server);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  clock = new VirtualClock();
  forwarder = new RpcForwarder({ clock, addressOf: () => `127.0.0.1:${port}` });
});
afterEach(async () => {
  await forwarder.stop();
  server.forceShutdown();
});

/** A read and a write that wait at the leader; how each ended, once it has. */
async function waiting(): Promise<{ read: string; write: string; turn(): Promise<void> }> {
  const ends = { read: '', write: '' };
  const kv = { Key: 'a', Value: null, Flags: 0 };
  const note = (which: 'read' | 'write') => (error: Error & { code?: string }) => {
    ends[which] = error.code ?? error.name;
  };
  forwarder.query('old', 'kv.get', { key: 'a' }, read).catch(note('read'));
  forwarder.apply('old', 'kv.set', kv, caller).catch(note('write'));
  while (arrivals < 2)
    await new Promise<void>((resolve) => {
      arrived = resolve;
    });
  return Object.assign(ends, { turn: () => new Promise<void>((resolve) => void setImmediate(resolve)) });
}

it('another leader: reads are given back at once, writes after a moment', async () => {
  const ends = await waiting();
  forwarder.leaderChanged('new');
  await ends.turn();
  expect(ends).toMatchObject({ read: 'NotSent', write: '' });
  clock.advance(1_000);
  await ends.turn();
  expect(ends).toMatchObject({ write: 'unknownOutcome' });
});

it('no leader for a moment: reads are given back, writes go on, for the leader may be well and we cut off', async () => {
  const ends = await waiting();
  forwarder.leaderChanged(undefined);
  clock.advance(999);
  await ends.turn();
  expect(ends).toMatchObject({ read: '', write: '' });
  clock.advance(1);
  await ends.turn();
  expect(ends).toMatchObject({ read: 'NotSent', write: '' });
});

it('the same leader again: nothing is given back', async () => {
  const ends = await waiting();
  forwarder.leaderChanged(undefined);
  clock.advance(500);
  forwarder.leaderChanged('old');
  clock.advance(5_000);
  await ends.turn();
  expect(ends).toMatchObject({ read: '', write: '' });
});
