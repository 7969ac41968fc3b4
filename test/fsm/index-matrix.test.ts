/**
 * The index rules against the capture of the reference: which reads each kind of write moves (golden/state/
 * index-matrix.json). Each write runs as a command; each read is the query that its endpoint uses. Reads of what is no
 * concern of these tables (ACLs, coordinates, prepared queries) are left out.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { QueryArgs, QueryName } from '../../src/fsm/index.ts';
import { decode, decodeConfigEntry, s, session, txnOperation } from '../../src/structs/index.ts';
import { reference } from '../support/shared.ts';
import { Bench } from './support.ts';

const golden = reference('golden/state/index-matrix.json');

const read = <N extends QueryName>(name: N, args: QueryArgs<N>) => ({ name, args }) as const;
const nodeMeta = { k: 'v' };
const reads: Readonly<Record<string, ReturnType<typeof read>>> = {
  'kv m/a': read('kv.get', { key: 'm/a' }),
  'kv m/none (missing)': read('kv.get', { key: 'm/none' }),
  'kv m/?recurse': read('kv.list', { prefix: 'm/' }),
  'kv m/?keys': read('kv.keys', { prefix: 'm/', separator: '' }),
  'kv m/t?recurse': read('kv.list', { prefix: 'm/t' }),
  'kv o/?recurse': read('kv.list', { prefix: 'o/' }),
  'kv zz/?recurse (missing)': read('kv.list', { prefix: 'zz/' }),
  'kv ?keys (root)': read('kv.keys', { prefix: '', separator: '' }),
  'kv m/lock': read('kv.get', { key: 'm/lock' }),
  'session list': read('session.list', {}),
  'session node n2': read('session.node', { node: 'n2' }),
  'catalog nodes': read('catalog.nodes', {}),
  'catalog nodes?node-meta': read('catalog.nodes', { nodeMeta }),
  'catalog services': read('catalog.services', {}),
  'catalog services?node-meta': read('catalog.services', { nodeMeta }),
  'catalog service web': read('catalog.service', { name: 'web' }),
  'catalog service web?tag': read('catalog.service', { name: 'web', tags: ['t'] }),
  'catalog service db': read('catalog.service', { name: 'db' }),
  'catalog service ghost': read('catalog.service', { name: 'ghost' }),
  'catalog connect ghost': read('catalog.connect', { name: 'ghost' }),
  'catalog node n1': read('catalog.node', { node: 'n1' }),
  'catalog node ghost': read('catalog.node', { node: 'ghost' }),
  'catalog node-services n1': read('catalog.node', { node: 'n1' }),
  'health node n1': read('health.node', { node: 'n1' }),
  'health checks web': read('health.checks', { service: 'web' }),
  'health checks web?node-meta': read('health.checks', { service: 'web', nodeMeta }),
  'health state passing': read('health.state', { state: 'passing' }),
  'health state any': read('health.state', { state: 'any' }),
  'health service web': read('health.service', { name: 'web' }),
  'health service web?passing': read('health.service', { name: 'web', passing: true }),
  'health service web?tag': read('health.service', { name: 'web', tags: ['t'] }),
  'health service db': read('health.service', { name: 'db' }),
  'health service ghost': read('health.service', { name: 'ghost' }),
  'health connect web': read('health.connect', { name: 'web' }),
  'catalog connect web': read('catalog.connect', { name: 'web' }),
  'config service-defaults web': read('configEntry.get', { kind: 'service-defaults', name: 'web' }),
  'config service-defaults': read('configEntry.list', { kind: 'service-defaults' }),
  'config service-resolver (none)': read('configEntry.list', { kind: 'service-resolver' }),
  intentions: read('intention.list', {}),
  'intentions match': read('intention.match', { by: 'destination', names: ['web'] }),
  'ui nodes': read('internal.nodes', {}),
  'ui node n1': read('internal.node', { node: 'n1' }),
  'ui services': read('internal.services', {}),
};

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const put = (bench: Bench, Key: string, value: string) => bench.apply('kv.set', { Key, Value: bytes(value), Flags: 0 });
const address = (node: string): string => `127.0.3.${100 + (node.charCodeAt(1) % 50)}`;
const register = (bench: Bench, node: string, service?: object, extra: object = {}) =>
  bench.register({
    Node: node,
    Address: address(node),
    ...(service === undefined ? {} : { Service: service }),
    ...extra,
  });
const deregister = (bench: Bench, Node: string, more: { ServiceID?: string; CheckID?: string } = {}) =>
  bench.apply('catalog.deregister', { Datacenter: '', Node, ServiceID: '', CheckID: '', ...more });

function createSession(bench: Bench, body: object): string {
  const decoded = decode(session, { NodeChecks: [], ...body }, { naming: 'api', unknown: 'refuse' });
  if (!decoded.ok) throw new TypeError(decoded.error);
  return bench.apply('session.create', decoded.value);
}

function setDefaults(bench: Bench, Name: string, Protocol: string): void {
  const entry = decodeConfigEntry({ Kind: 'service-defaults', Name, Protocol });
  if (!entry.ok) throw new TypeError(entry.error);
  bench.apply('configEntry.set', { Entry: entry.value });
}

const intention = (Source: string, Destination: string, Action: string) =>
  ({ Source, Destination, Action, Permissions: null, Description: '', Type: 'consul', Meta: null }) as const;

const check = (CheckID: string, more: object) => ({ Node: 'n1', CheckID, Name: CheckID, Status: 'passing', ...more });
const meta2 = { NodeMeta: { k: 'v', z: '1' } };
const web1 = { ID: 'web1', Service: 'web', Tags: ['t'] };

function seed(bench: Bench): { readonly s: string } {
  for (const key of ['m/a', 'm/b', 'm/t/1', 'm/t/2', 'o/x', 'm/lock']) put(bench, key, 'v');
  register(bench, 'n1', web1, {
    NodeMeta: { k: 'v' },
    Checks: [check('svc', { ServiceID: 'web1' }), check('nodechk', {})],
  });
  register(bench, 'n2', { ID: 'db1', Service: 'db' });
  const proxy = { ID: 'web-p', Service: 'web-sidecar-proxy', Kind: 'connect-proxy', Port: 1 };
  register(bench, 'n3', { ...proxy, Proxy: { DestinationServiceName: 'web' } });
  setDefaults(bench, 'web', 'http');
  bench.apply('intention.upsert', intention('db', 'web', 'allow'));
  const sessionId = createSession(bench, { Node: 'n1', LockDelay: 0 });
  createSession(bench, { Node: 'n2' });
  bench.apply('kv.acquire', { Key: 'm/lock', Value: bytes('x'), Flags: 0, Session: sessionId });
  return { s: sessionId };
}

type Write = (bench: Bench, seeded: { readonly s: string }) => unknown;
const writes: Readonly<Record<string, Write>> = {
  'kv put m/a (new value)': (b) => put(b, 'm/a', 'v2'),
  'kv put m/a (same value)': (b) => put(b, 'm/a', 'v2'),
  'kv cas failing': (b) => b.apply('kv.cas', { Key: 'm/a', Value: bytes('x'), Flags: 0, Index: 1 }),
  'kv put o/x': (b) => put(b, 'o/x', 'v2'),
  'kv delete m/b': (b) => b.apply('kv.delete', { Key: 'm/b' }),
  'kv delete missing': (b) => b.apply('kv.delete', { Key: 'm/b' }),
  'kv delete-tree m/t': (b) => b.apply('kv.deleteTree', { Prefix: 'm/t' }),
  'kv delete-tree missing': (b) => b.apply('kv.deleteTree', { Prefix: 'm/t' }),
  'kv put after delete m/b': (b) => put(b, 'm/b', 'v'),
  'session create': (b) => createSession(b, { Node: 'n2' }),
  'session destroy holding m/lock': (b, { s }) => b.apply('session.destroy', { ID: s }),
  'register node n4': (b) => register(b, 'n4'),
  'register node n4 again, same': (b) => register(b, 'n4'),
  'register n4 with new meta': (b) => register(b, 'n4', undefined, { NodeMeta: { z: '1' } }),
  'register n1 with new meta': (b) => register(b, 'n1', undefined, meta2),
  'register second web on n4': (b) => register(b, 'n4', { ID: 'web2', Service: 'web' }, { NodeMeta: { z: '1' } }),
  'register web1 again, same': (b) => register(b, 'n1', web1, meta2),
  'register web1 new tags': (b) => register(b, 'n1', { ...web1, Tags: ['t', 'u'] }, meta2),
  'register new service api on n2': (b) => register(b, 'n2', { ID: 'api1', Service: 'api' }),
  'service check of web1, same status, after its tags changed (ServiceTags are copied in)': (b) =>
    register(b, 'n1', undefined, { ...meta2, Check: check('svc', { ServiceID: 'web1' }) }),
  'service check of web1, nothing changed': (b) =>
    register(b, 'n1', undefined, { ...meta2, Check: check('svc', { ServiceID: 'web1' }) }),
  'service check of web1 -> warning': (b) =>
    register(b, 'n1', undefined, { ...meta2, Check: check('svc', { ServiceID: 'web1', Status: 'warning' }) }),
  'node check of n1 -> warning': (b) =>
    register(b, 'n1', undefined, { ...meta2, Check: check('nodechk', { Status: 'warning' }) }),
  'new node check on n2 (db)': (b) => register(b, 'n2', undefined, { Check: check('x', { Node: 'n2' }) }),
  'deregister node check of n1': (b) => deregister(b, 'n1', { CheckID: 'nodechk' }),
  'deregister service check of web1': (b) => deregister(b, 'n1', { CheckID: 'svc' }),
  'deregister web2 (not the last web)': (b) => deregister(b, 'n4', { ServiceID: 'web2' }),
  'deregister api1 (last api)': (b) => deregister(b, 'n2', { ServiceID: 'api1' }),
  'deregister unknown service': (b) => deregister(b, 'n2', { ServiceID: 'ghost' }),
  'deregister node n4 (empty)': (b) => deregister(b, 'n4'),
  'deregister proxy n3': (b) => deregister(b, 'n3'),
  'deregister node n2 (db, sessions)': (b) => deregister(b, 'n2'),
  'config put service-defaults db': (b) => setDefaults(b, 'db', 'tcp'),
  'config put same': (b) => setDefaults(b, 'db', 'tcp'),
  'config delete service-defaults db': (b) => b.apply('configEntry.delete', { Kind: 'service-defaults', Name: 'db' }),
  'intention upsert a->b': (b) => b.apply('intention.upsert', intention('a', 'b', 'deny')),
  'intention delete a->b': (b) => b.apply('intention.deleteExact', { Source: 'a', Destination: 'b' }),
  'txn: kv set + node set': (b) => {
    const operations = [
      { KV: { Verb: 'set', Key: 'm/txn', Value: '' } },
      { Node: { Verb: 'set', Node: { Node: 'n9', Address: '127.0.3.99' } } },
    ];
    const decoded = decode(s.list(txnOperation), operations, { naming: 'api', unknown: 'refuse' });
    if (!decoded.ok) throw new TypeError(decoded.error);
    expect(b.apply('txn', { Ops: decoded.value ?? [] }).Errors).toBeNull();
  },
  'autopilot config put': (b) =>
    b.apply('autopilot.setConfiguration', {
      Config: {
        CleanupDeadServers: true,
        LastContactThreshold: 200_000_000,
        MaxTrailingLogs: 250,
        MinQuorum: 0,
        ServerStabilizationTime: 10_000_000_000,
        RedundancyZoneTag: '',
        DisableUpgradeMigration: false,
        UpgradeVersionTag: '',
      },
    }),
};

interface Captured {
  readonly moved: readonly string[];
}

function capture(): { readonly writes: Readonly<Record<string, Captured>> } {
  return golden === null ? { writes: {} } : JSON.parse(readFileSync(golden, 'utf8'));
}

describe.skipIf(golden === null)('index matrix', () => {
  const captured = capture();
  const bench = new Bench();
  const seeded = seed(bench);

  const indexes = (): ReadonlyMap<string, number> =>
    new Map(Object.entries(reads).map(([label, { name, args }]) => [label, bench.query(name, args as never).index]));

  // In the order of the capture: each write meets the state that the ones before it left.
  for (const [label, { moved }] of Object.entries(captured.writes)) {
    const write = writes[label];
    if (write === undefined) continue;
    it(label, () => {
      const before = indexes();
      write(bench, seeded);
      const after = indexes();
      const ours = [...after.keys()].filter((name) => after.get(name) !== before.get(name));
      expect(ours.sort()).toEqual(moved.filter((name) => name in reads).sort());
      for (const name of ours) expect(after.get(name)).toBe(bench.index);
    });
  }
});

it.skipIf(golden === null)('covers every captured write but those of other rooms', () => {
  const left = Object.keys(capture().writes).filter((label) => !(label in writes));
  expect(left.filter((label) => !/^(acl|query|coordinate) |^session renew$/.test(label))).toEqual([]);
});
