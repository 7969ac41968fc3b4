// What watchers of a client agent cost a server: a real gRPC door over a real store on loopback, asked by the client's backend
// on a manual clock. The store says how many blocking reads wait in it.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RemoteBackend } from '../../../src/agent/client/remote-backend.ts';
import { ServerDirectory } from '../../../src/agent/client/server-directory.ts';
import { RpcDoor } from '../../../src/api/rpc/index.ts';
import { seededRandom } from '../../../src/std/random.ts';
import { nodeService } from '../../../src/structs/index.ts';
import { noSnapshots, TestBackend } from '../../support/backend.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const caller = { token: '', address: '', call: 'test', datacenter: '' };
const watching = { caller, consistency: 'default' } as const;
const idleMs = 600_000;

let store: TestBackend;
let server: Server;
let client: RemoteBackend;
let clock: VirtualClock;

beforeEach(async () => {
  store = new TestBackend();
  server = new Server();
  const unexpected = (error: unknown): void => {
    throw error;
  };
  new RpcDoor({ backend: store, snapshots: noSnapshots, leading: () => true, onUnexpected: unexpected }).register(
    server,
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  clock = new VirtualClock();
  const servers = [{ id: 's1', name: 's1', address: `127.0.0.1:${port}` }];
  const log = { info: () => undefined, warn: () => undefined };
  client = new RemoteBackend(
    { datacenter: 'dc1', nodeName: 'c1', holdMs: 7_000 },
    { directory: new ServerDirectory(() => servers, { clock, random: seededRandom('x') }), clock, log },
  );
  await register('web');
});
afterEach(() => {
  client.stop();
  server.forceShutdown();
});

const register = (name: string) =>
  store.apply(
    'catalog.register',
    {
      ...{ Datacenter: 'dc1', ID: '', Node: 'n1', Address: '127.0.0.1', TaggedAddresses: null, NodeMeta: null },
      Service: { ...nodeService.zero(), ID: name, Service: name, Port: ++ports },
      ...{ Check: null, Checks: [], SkipNodeUpdate: false },
    },
    caller,
  );
let ports = 0;
const instances = (minIndex: number) => client.query('health.service', { name: 'web' }, { ...watching, minIndex });

it('200 local watchers of one topic are one blocking read at the server, all hear of a change, and it goes when unneeded', async () => {
  const { index } = await instances(0);
  const watchers = Array.from({ length: 200 }, () => instances(index));
  await expect.poll(() => store.store.waiting).toBe(1);
  await register('web');
  const answers = await Promise.all(watchers);
  expect(new Set(answers.map((answer) => answer.index)).size).toBe(1);
  expect(answers[0]!.index).toBeGreaterThan(index);
  await expect.poll(() => store.store.waiting).toBe(1);
  clock.advance(idleMs);
  await expect.poll(() => store.store.waiting).toBe(0);
  expect(client.topics.size).toBe(0);
});

it('each topic has a stream of its own, and nobody else has one while somebody waits', async () => {
  await register('web');
  const { index } = await instances(1);
  const web = instances(index);
  await client.query('catalog.services', {}, { ...watching, minIndex: index - 1 });
  await expect.poll(() => store.store.waiting).toBe(2);
  clock.advance(idleMs);
  // Nobody waits for the list of services any more; somebody waits for `web`, until the wait is over.
  await expect.poll(() => store.store.waiting).toBe(1);
  expect((await web).index).toBe(index);
});
