// Registering on one agent: sidecars, checks that stay, what a restart finds, what is too long critical.
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checksOf, nestedChecks, serviceRecord, standaloneCheck } from '../../../src/agent/definitions/registration.ts';
import { expandSidecar } from '../../../src/agent/definitions/sidecar.ts';
import { Persistence } from '../../../src/agent/local/persistence.ts';
import { Registry } from '../../../src/agent/local/registry.ts';
import { LocalState } from '../../../src/agent/local/state.ts';
import { checkRegistration, decode, serviceRegistration } from '../../../src/structs/index.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

let folder: string;
let clock: VirtualClock;
const running: Registry[] = [];
const warnings: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-registry-'));
  clock = new VirtualClock();
  warnings.length = 0;
});
afterEach(() => {
  for (const registry of running.splice(0)) registry.stop();
  rmSync(folder, { recursive: true });
});

/** An agent's registry; the second one of a folder is the agent after a restart. */
function open(options: { min?: number; max?: number } = {}): Registry {
  const warn = (message: string): void => void warnings.push(message);
  const registry = new Registry(
    {
      node: 'n1',
      scriptsFromApi: false,
      scriptsFromFiles: true,
      sidecarPortMin: options.min ?? 21_000,
      sidecarPortMax: options.max ?? 21_255,
      dockerHost: '',
    },
    { checkOutputBytesMax: 4096, discardCheckOutput: false, checkUpdateIntervalMs: 0 },
    {
      state: new LocalState(),
      persistence: new Persistence(folder, warn),
      clock,
      chance: () => 0.5,
      nodeChecks: () => Promise.reject(new Error('nobody is asked')),
      log: { debug: () => undefined, warn, info: () => undefined },
    },
  );
  running.push(registry);
  return registry;
}

function definition(body: object) {
  const decoded = decode(serviceRegistration, body, { naming: 'api', unknown: 'refuse' });
  if (!decoded.ok) throw new Error(decoded.error);
  return decoded.value;
}
function add(registry: Registry, body: object, source: 'remote' | 'config' = 'remote', replaceChecks = false): void {
  const given = definition(body);
  const service = serviceRecord(given);
  registry.addService(
    { service, checks: nestedChecks(service, checksOf(given), 'n1'), token: 't' },
    { source, replaceChecks },
  );
  const wanted = given.Connect?.SidecarService;
  if (wanted == null) return;
  const sidecar = expandSidecar(service, wanted, {
    ...{ ports: registry.sidecarPorts(service), node: 'n1', token: 't' },
    bindAddress: '10.0.0.7',
  });
  registry.addService(sidecar, { source, replaceChecks, sidecarOf: service.ID });
}
const node = (registry: Registry, body: object): void => {
  const decoded = decode(checkRegistration, body, { naming: 'api', unknown: 'refuse' });
  if (decoded.ok) registry.addCheck(standaloneCheck(decoded.value, 'n1', true), '', 'remote');
};
const checksIn = (registry: Registry): Record<string, string> =>
  Object.fromEntries(
    [...registry.state.checks()].map(([id, entry]) => [id, `${entry.check.Status}: ${entry.check.Output}`]),
  );
const files = (): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((f) => f.isFile())
    .map((f) => join(f.parentPath, f.name));

describe('sidecars', () => {
  const web = { Name: 'web', Port: 80, Tags: ['a'], Meta: { m: '1' }, Connect: { SidecarService: {} } };

  it('take what they do not say from their parent, and go with it', () => {
    const registry = open();
    add(registry, web);
    const sidecar = registry.state.service('web-sidecar-proxy');
    expect(sidecar).toMatchObject({
      token: 't',
      sidecarOf: 'web',
      service: {
        Kind: 'connect-proxy',
        Service: 'web-sidecar-proxy',
        Tags: ['a'],
        Meta: { m: '1' },
        Port: 21_000,
        Proxy: {
          DestinationServiceName: 'web',
          DestinationServiceID: 'web',
          LocalServiceAddress: '127.0.0.1',
          LocalServicePort: 80,
        },
      },
    });
    expect(checksIn(registry)).toEqual({
      'service:web-sidecar-proxy:1': 'critical: ',
      'service:web-sidecar-proxy:2': 'passing: No checks found.',
    });
    registry.removeService('web');
    expect([registry.state.services().size, registry.state.checks().size]).toEqual([0, 0]);
  });

  it('are checked where they listen: those that the agent runs where it listens itself', () => {
    const listening = (sidecar: object): string | undefined => {
      const given = definition({ ...web, Connect: { SidecarService: sidecar } });
      const options = { ports: { min: 1, max: 9, kept: undefined, taken: new Set<number>() }, node: 'n1', token: '' };
      const expanded = expandSidecar(serviceRecord(given), given.Connect!.SidecarService!, {
        ...options,
        bindAddress: '10.0.0.7',
      });
      return expanded.checks.find(({ check }) => check.Name === 'Connect Sidecar Listening')?.spec.TCP;
    };
    const managed = { managed: true };
    expect(listening({})).toBe('127.0.0.1:1');
    expect(listening({ Proxy: { Config: managed } })).toBe('10.0.0.7:1');
    expect(listening({ Address: '10.0.0.8', Proxy: { Config: managed } })).toBe('10.0.0.8:1');
    expect(listening({ Proxy: { Config: { ...managed, bind_address: '10.0.0.9' } } })).toBe('10.0.0.9:1');
  });

  it('keep their port, and get the lowest free one', () => {
    const registry = open();
    add(registry, web);
    add(registry, { Name: 'taken', Port: 21_001 });
    add(registry, { ...web, Name: 'db' });
    add(registry, { ...web, Port: 81 });
    const port = (id: string) => registry.state.service(`${id}-sidecar-proxy`)?.service.Port;
    expect([port('web'), port('db')]).toEqual([21_000, 21_002]);
  });

  it('are refused when there is no port', () => {
    const registry = open({ min: 21_000, max: 21_000 });
    add(registry, web);
    const reason = 'Bad request: Invalid SidecarService: no port provided for sidecar_service and';
    expect(() => add(registry, { ...web, Name: 'db' })).toThrow(
      `${reason} none left in the configured range [21000, 21000]`,
    );
    expect(() => add(open({ min: 0, max: 0 }), web)).toThrow(`${reason} auto-assignment disabled in config`);
  });

  it('reach a service behind a socket by its path', () => {
    const registry = open();
    add(registry, { Name: 'sp', SocketPath: '/tmp/x', Connect: { SidecarService: {} } });
    expect(registry.state.service('sp-sidecar-proxy')?.service.Proxy).toMatchObject({
      LocalServiceSocketPath: '/tmp/x',
      LocalServicePort: 0,
    });
  });

  it('stay when the parent comes again without them', () => {
    const registry = open();
    add(registry, web);
    add(registry, { Name: 'web', Port: 80 });
    expect(registry.state.service('web-sidecar-proxy')).toBeDefined();
  });
});

describe('registering again', () => {
  const web = (...Checks: object[]) => ({ Name: 'web', Checks });
  it('keeps the state of a check of the same id, and other checks unless they are to be replaced', () => {
    const registry = open();
    add(registry, web({ CheckID: 'a', TTL: '1h' }, { CheckID: 'b', TTL: '1h' }));
    registry.updateTtl('a', 'passing', 'fine');
    add(registry, web({ CheckID: 'a', TTL: '1h', Status: 'warning' }));
    expect(checksIn(registry)).toEqual({ a: 'passing: fine', b: 'critical: ' });
    add(registry, web({ CheckID: 'a', TTL: '1h' }), 'remote', true);
    expect(checksIn(registry)).toEqual({ a: 'passing: fine' });
  });
});

describe('after a restart', () => {
  it('what the API registered is there, with its token; an unexpired TTL goes on', () => {
    const first = open();
    add(first, {
      Name: 'web',
      Port: 80,
      Checks: [
        { CheckID: 'a', TTL: '1h' },
        { CheckID: 'b', TTL: '1s' },
      ],
    });
    node(first, { Name: 'n', TTL: '1h' });
    first.updateTtl('a', 'warning', 'so-so');
    first.updateTtl('b', 'passing', 'short');
    first.setMaintenance('web', 'upgrade', '');
    first.stop();
    clock.advance(5_000);
    const second = open();
    second.restore();
    expect(second.state.service('web')).toMatchObject({ token: 't', service: { Port: 80 } });
    expect(checksIn(second)).toEqual({
      a: 'warning: so-so',
      b: 'critical: ',
      n: 'critical: ',
      '_service_maintenance:web': 'critical: ',
    });
    clock.advance(3_600_000);
    expect(checksIn(second).a).toBe('critical: TTL expired (last output before timeout follows): so-so');
  });

  it('a definition of a file wins over one of the API, and its file goes', () => {
    add(open(), { Name: 'web', Port: 80 });
    const second = open();
    add(second, { Name: 'web', Port: 81 }, 'config');
    second.restore();
    expect([second.state.service('web')?.service.Port, files()]).toEqual([81, []]);
  });

  it('what was deregistered is gone, and so is what belonged to it', () => {
    const first = open();
    add(first, { Name: 'web', Connect: { SidecarService: {} }, Check: { TTL: '1h' } });
    first.removeService('web');
    expect(files()).toEqual([]);
  });

  it('a file that cannot be read is told and left', () => {
    const first = open();
    add(first, { Name: 'web' });
    for (const file of files()) {
      expect(statSync(file).mode & 0o777).toBe(0o600);
      writeFileSync(file, '{"Service"');
    }
    open().restore();
    expect([warnings, files().length]).toEqual([['Ignoring a stored registration that cannot be read'], 1]);
  });
});

it('takes away a service that was critical for too long, and never sooner than after a minute', () => {
  const registry = open();
  add(registry, { Name: 'web', Check: { TTL: '1h', DeregisterCriticalServiceAfter: '1s' } });
  add(registry, { Name: 'db', Check: { TTL: '1h', DeregisterCriticalServiceAfter: '90m' } });
  add(registry, { Name: 'ok', Check: { CheckID: 'ok', TTL: '10h', DeregisterCriticalServiceAfter: '1m' } });
  registry.updateTtl('ok', 'passing', '');
  clock.advance(59_000);
  expect(registry.reapCritical()).toEqual([]);
  clock.advance(1_000);
  expect(registry.reapCritical()).toEqual(['web']);
  expect([...registry.state.services().keys()]).toEqual(['db', 'ok']);
});

describe('scripts', () => {
  const scripted = { Name: 'x', Check: { Args: ['true'], Interval: '10s' } };
  it('are refused from the API and leave nothing behind', () => {
    const registry = open();
    expect(() => add(registry, scripted)).toThrow('Scripts are disabled on this agent from remote calls');
    expect([registry.state.services().size, files()]).toEqual([0, []]);
  });
  it('may come from files when these are allowed to', () => {
    const registry = open();
    add(registry, scripted, 'config');
    expect(registry.monitorCount()).toBe(1);
  });
});

it('stops everything that runs', () => {
  const registry = open();
  add(registry, { Name: 'web', Checks: [{ TTL: '1h' }, { TCP: 'a:1', Interval: '10s' }, { AliasService: 'web' }] });
  registry.stop();
  expect(clock.pendingMs).toEqual([]);
});
