// Central configuration on an agent: every proxy is filled up, follows changes, survives a restart without servers, and what
// cannot be resolved is refused at registration and waited out afterwards.
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CentralConfig } from '../../../src/agent/local/central-config.ts';
import { Persistence } from '../../../src/agent/local/persistence.ts';
import { LocalState } from '../../../src/agent/local/state.ts';
import { decodeConfigEntry, type NodeService, nodeService, proxy as proxySchema } from '../../../src/structs/index.ts';
import { backendFailure, TestBackend } from '../../support/backend.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const caller = { token: '', address: '', call: 'test', datacenter: '' };

let folder: string;
let backend: TestBackend;
let clock: VirtualClock;
let log: string[];
const running: CentralConfig[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-central-'));
  backend = new TestBackend();
  clock = new VirtualClock();
  log = [];
});
afterEach(() => {
  for (const central of running.splice(0)) central.stop();
  rmSync(folder, { recursive: true });
});

/** An agent's part; the second one of a folder is the agent after a restart. */
function open(): { state: LocalState; central: CentralConfig } {
  const state = new LocalState();
  const central = new CentralConfig({
    ...{ state, backend, clock },
    persistence: new Persistence(folder, (message) => void log.push(message)),
    tokenOf: (own) => own,
    log: { warn: (message) => void log.push(message) },
  });
  running.push(central);
  return { state, central };
}

async function protocol(Protocol: unknown): Promise<void> {
  const decoded = decodeConfigEntry({ Kind: 'proxy-defaults', Config: { protocol: Protocol } });
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.error));
  await backend.apply('configEntry.set', { Entry: decoded.value, Cas: undefined }, caller);
}

const sidecar = (more: Partial<NodeService> = {}): NodeService => ({
  ...nodeService.zero(),
  Kind: 'connect-proxy',
  ID: 'web-sidecar-proxy',
  Service: 'web-sidecar-proxy',
  Proxy: { ...proxySchema.zero(), DestinationServiceName: 'web' },
  ...more,
});
const put = (state: LocalState, service: NodeService): void =>
  state.putService({ service, token: '', source: 'remote', sidecarOf: undefined });
const shown = (state: LocalState): unknown => state.service('web-sidecar-proxy')?.service.Proxy?.Config?.protocol;
/** The next change of a service. */
const change = (state: LocalState): Promise<void> =>
  new Promise((resolve) => {
    const stop = state.watch(() => {
      stop();
      resolve();
    });
  });
const kept = (): string[] => readdirSync(join(folder, 'services', 'configs'));

it('fills a proxy up, follows what changes, and leaves its definition and other services alone', async () => {
  await protocol('http');
  const { state, central } = open();
  put(state, sidecar());
  put(state, { ...sidecar(), ID: 'web', Service: 'web', Kind: '' });
  await central.begin();
  expect(shown(state)).toBe('http');
  expect(state.service('web-sidecar-proxy')!.definition).toEqual(sidecar());
  expect(state.service('web')!.service.Proxy!.Config).toBeNull();
  const changed = change(state);
  await protocol('grpc');
  await changed;
  expect(shown(state)).toBe('grpc');
});

it('follows a proxy that comes later, and its new definition, and forgets it when it goes', async () => {
  await protocol('http');
  const { state, central } = open();
  await central.begin();
  put(state, sidecar());
  await change(state);
  expect(shown(state)).toBe('http');
  put(state, sidecar({ Port: 7 }));
  expect(shown(state), 'known already').toBe('http');
  await expect.poll(kept).toHaveLength(1);
  state.deleteService('web-sidecar-proxy');
  expect(kept()).toEqual([]);
});

describe('when the servers cannot be reached', () => {
  it('a registration is refused, naming the service and the reason', async () => {
    const { central } = open();
    backend.failure = backendFailure('noLeader', 'No cluster leader');
    await expect(central.resolve(sidecar(), '')).rejects.toThrow(
      'could not retrieve initial service_defaults config for service "web-sidecar-proxy": No cluster leader',
    );
    expect(await central.resolve(sidecar({ Kind: '' }), '')).toBeUndefined();
  });

  it('a start goes on with what was known, if the same is asked', async () => {
    await protocol('http');
    const before = open();
    put(before.state, sidecar());
    await before.central.begin();
    before.central.stop();
    const file = join(folder, 'services', 'configs', kept()[0]!);
    expect(statSync(file).mode & 0o777).toBe(0o600);

    backend.failure = backendFailure('noServers', 'No known Consul servers');
    const after = open();
    put(after.state, sidecar());
    after.central.restore();
    expect(shown(after.state)).toBe('http');
    await after.central.begin();
    expect(shown(after.state)).toBe('http');
    after.central.stop();

    const other = open();
    put(other.state, sidecar({ Proxy: { ...proxySchema.zero(), DestinationServiceName: 'api' } }));
    other.central.restore();
    expect(shown(other.state)).toBeUndefined();
    expect(existsSync(file)).toBe(false);
  });

  it('what was known stays, told once, and is asked for again after pauses that grow', async () => {
    await protocol('http');
    const { state, central } = open();
    put(state, sidecar());
    await central.begin();
    const changed = change(state);
    // Its blocking read ends with an entry that cannot be resolved, and then each read does.
    await protocol(7);
    for (const ms of [500, 1_000, 2_000]) {
      await expect.poll(() => clock.pendingMs).toEqual([ms]);
      clock.advance(ms);
    }
    await expect.poll(() => clock.pendingMs).toEqual([4_000]);
    expect(shown(state)).toBe('http');
    expect(log).toEqual(['central configuration cannot be read: going on with what was known']);
    await protocol('grpc');
    clock.advance(4_000);
    await changed;
    expect(shown(state)).toBe('grpc');
    expect(log[1]).toBe('central configuration is known again');
  });
});
