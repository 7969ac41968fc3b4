// Agent to catalog, over the real commands: what is pushed, what a full sync repairs, what waits, what is refused.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AntiEntropy, scaleFactor } from '../../../src/agent/local/anti-entropy.ts';
import { LocalState } from '../../../src/agent/local/state.ts';
import { BackendError } from '../../../src/api/backend.ts';
import { type HealthCheck, healthCheck, type NodeService, nodeService } from '../../../src/structs/index.ts';
import { TestBackend } from '../../support/backend.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const caller = { token: '', address: '', call: 'test', datacenter: '' };
const reading = { caller, consistency: 'default' } as const;

let backend: TestBackend;
let state: LocalState;
let clock: VirtualClock;
let sync: AntiEntropy;
let log: string[];
let updateIntervalMs: number;

beforeEach(() => {
  backend = new TestBackend('n1');
  state = new LocalState();
  clock = new VirtualClock();
  log = [];
  updateIntervalMs = 0;
  const write = (message: string, fields: Record<string, unknown> = {}): void =>
    void log.push(`${message} ${JSON.stringify(fields)}`);
  sync = new AntiEntropy({
    state,
    backend,
    clock,
    chance: () => 0,
    node: () => ({
      id: '11111111-1111-1111-1111-111111111111',
      node: 'n1',
      address: '127.0.0.1',
      taggedAddresses: { lan: '127.0.0.1' },
      meta: { a: 'b' },
    }),
    tokens: () => ({ default: '', agent: '' }),
    checkUpdateIntervalMs: () => updateIntervalMs,
    members: () => 1,
    log: { info: write, warn: write, error: write },
  });
});
afterEach(() => sync.stop());

const service = (ID: string, more: Partial<NodeService> = {}): NodeService => ({
  ...nodeService.zero(),
  ID,
  Service: ID,
  Weights: { Passing: 1, Warning: 1 },
  ...more,
});
const check = (CheckID: string, more: Partial<HealthCheck> = {}): HealthCheck => ({
  ...healthCheck.zero(),
  Node: 'n1',
  CheckID,
  Name: CheckID,
  Status: 'passing',
  ...more,
});
const put = (item: NodeService): void =>
  state.putService({ service: item, token: '', source: 'remote', sidecarOf: undefined });
const putCheck = (item: HealthCheck): void =>
  state.putCheck({ check: item, token: '', source: 'remote', criticalSinceMs: undefined });
const services = async (): Promise<readonly NodeService[]> =>
  (await backend.query('catalog.node', { node: 'n1' }, reading)).value?.Services ?? [];
const checks = async (): Promise<readonly HealthCheck[]> =>
  (await backend.query('health.node', { node: 'n1' }, reading)).value;
const inCatalog = async () => ({
  services: (await services()).map((item) => item.ID),
  checks: (await checks()).map((item) => `${item.CheckID}=${item.Status}`),
});
const strangers = (Service: NodeService | null, Checks: HealthCheck[]) =>
  backend.apply(
    'catalog.register',
    {
      Datacenter: 'dc1',
      ID: '',
      Node: 'n1',
      Address: '127.0.0.1',
      TaggedAddresses: null,
      NodeMeta: null,
      Service,
      Check: null,
      Checks,
      SkipNodeUpdate: true,
    },
    caller,
  );

it('registers the node, services with their checks, and checks of the node', async () => {
  put(service('web'));
  putCheck(check('c1', { ServiceID: 'web' }));
  putCheck(check('n'));
  await sync.start();
  expect(await inCatalog()).toEqual({ services: ['web'], checks: ['c1=passing', 'n=passing'] });
  const { value } = await backend.query('catalog.node', { node: 'n1' }, reading);
  expect(value?.Node).toMatchObject({
    ID: '11111111-1111-1111-1111-111111111111',
    TaggedAddresses: { lan: '127.0.0.1' },
    Meta: { a: 'b' },
  });
});

it('pushes a change, and nothing when nothing changed', async () => {
  put(service('web'));
  await sync.start();
  const before = (await services())[0]!.ModifyIndex;
  await sync.push();
  await sync.syncFull();
  put(service('web'));
  await sync.push();
  expect((await services())[0]!.ModifyIndex).toBe(before);
  put(service('web', { Port: 80 }));
  await sync.push();
  expect((await services())[0]!.Port).toBe(80);
});

it('takes away what was deregistered', async () => {
  put(service('web'));
  putCheck(check('c1', { ServiceID: 'web' }));
  await sync.start();
  state.deleteCheck('c1');
  state.deleteService('web');
  await sync.push();
  expect(await inCatalog()).toEqual({ services: [], checks: [] });
  expect([state.everyService().size, state.everyCheck().size]).toEqual([0, 0]);
});

it('a full sync repairs the catalog and removes strangers, but for what belongs to the servers', async () => {
  put(service('web', { Port: 80 }));
  await sync.start();
  await strangers(service('web', { Port: 1 }), []);
  await strangers(service('stranger'), [check('odd'), check('serfHealth')]);
  await strangers(service('consul'), []);
  await sync.syncFull();
  expect(await inCatalog()).toEqual({ services: ['consul', 'web'], checks: ['serfHealth=passing'] });
  expect((await services()).find((item) => item.ID === 'web')?.Port).toBe(80);
});

it('takes over tags that were changed in the catalog, where the service allows it, and only tags', async () => {
  put(service('web', { EnableTagOverride: true, Tags: ['a'], Port: 80 }));
  await sync.start();
  await strangers(service('web', { EnableTagOverride: true, Tags: ['b'], Port: 1 }), []);
  await sync.syncFull();
  expect((await services())[0]).toMatchObject({ Tags: ['b'], Port: 80 });
  expect(state.service('web')?.service.Tags).toEqual(['b']);
});

describe('outputs', () => {
  it('alone wait, a status goes at once', async () => {
    updateIntervalMs = 300_000;
    putCheck(check('c'));
    await sync.start();
    state.setCheckState('c', 'passing', 'new words', 0, true);
    await sync.push();
    expect((await checks())[0]!.Output).toBe('');
    clock.advance(150_000);
    await sync.push();
    expect((await checks())[0]!.Output).toBe('new words');
    state.setCheckState('c', 'critical', 'down', 0, true);
    await sync.push();
    expect((await checks())[0]).toMatchObject({ Status: 'critical', Output: 'down' });
  });
  it('that wait are not compared meanwhile', async () => {
    updateIntervalMs = 300_000;
    putCheck(check('c'));
    await sync.start();
    state.setCheckState('c', 'passing', 'new words', 0, true);
    await sync.syncFull();
    expect((await checks())[0]!.Output).toBe('');
  });
});

it('what the catalog refuses is told and does not hold up the rest', async () => {
  put(service('bad', { Kind: 'mesh-gateway' }));
  put(service('good'));
  await sync.start();
  expect((await inCatalog()).services).toEqual(['good']);
  expect(log.find((line) => line.includes('Port must be non-zero for a mesh-gateway'))).toContain(
    'The catalog refuses a registration',
  );
});

it('without a leader it tells, and tries again', async () => {
  put(service('web'));
  backend.failure = new BackendError('noLeader', 'No cluster leader');
  await sync.start();
  expect(log).toEqual(['failed to sync changes {"error":"No cluster leader"}']);
  backend.failure = undefined;
  clock.advance(15_000);
  await sync.push();
  expect((await inCatalog()).services).toEqual(['web']);
});

it('a service and its checks go in one step', async () => {
  await sync.start();
  const seen: string[] = [];
  backend.store.listen({ applied: (command) => void seen.push(command.name), replaced: () => undefined });
  await sync.whilePaused(() => {
    put(service('web'));
    putCheck(check('c1', { ServiceID: 'web' }));
    putCheck(check('c2', { ServiceID: 'web' }));
  });
  expect(seen).toEqual(['catalog.register']);
});

it('leaves no timer behind', async () => {
  putCheck(check('c'));
  await sync.start();
  await sync.stop();
  expect(clock.pendingMs).toEqual([]);
});

it.each([
  [1, 1],
  [128, 1],
  [129, 2],
  [256, 2],
  [1024, 4],
])('%i members: full syncs %i times as rare', (members, factor) => {
  expect(scaleFactor(members)).toBe(factor);
});
