import { expect, it } from 'vitest';
import {
  type CatalogView,
  consulServiceMeta,
  reapedNodes,
  reconcileMember,
} from '../../../src/agent/membership/reconcile.ts';
import { encodeTags, type PoolMember, serverOf } from '../../../src/agent/membership/tags.ts';
import { healthCheck, node, nodeService } from '../../../src/structs/index.ts';

const clientTags = encodeTags({
  role: 'client',
  datacenter: 'dc1',
  id: 'c',
  build: '0.1.0',
  aclsEnabled: false,
  rpcPort: 0,
  bootstrap: false,
  bootstrapExpect: 0,
  usesTls: false,
});
const member = (status: PoolMember['status'], more: Partial<PoolMember> = {}): PoolMember => ({
  name: 'n1',
  address: '10.0.0.1',
  port: 8301,
  status,
  protocolMin: 1,
  protocolMax: 5,
  protocolCur: 2,
  tags: clientTags,
  ...more,
});
const own = { name: 'leader', datacenter: 'dc1' };
const row = { ...node.zero(), Node: 'n1', Address: '10.0.0.1' };
const check = (Status: string) => ({ ...healthCheck.zero(), Node: 'n1', CheckID: 'serfHealth', Status });
const empty: CatalogView = { node: undefined, serfHealth: undefined, consulService: undefined };
const passing: CatalogView = { ...empty, node: row, serfHealth: check('passing') };
const critical: CatalogView = { ...empty, node: row, serfHealth: check('critical') };

it.each<[string, PoolMember, CatalogView, object]>([
  [
    'a new member is registered, what it says of itself meanwhile untouched',
    member('alive'),
    empty,
    { kind: 'register', status: 'passing', skipNodeUpdate: true },
  ],
  ['a known one is left alone', member('alive'), passing, { kind: 'none' }],
  [
    'one that moved is registered again',
    member('alive', { address: '10.0.0.9' }),
    passing,
    { kind: 'register', address: '10.0.0.9', skipNodeUpdate: false },
  ],
  [
    'one that came back passes again, its node untouched',
    member('alive'),
    { ...critical, node: { ...row, ID: 'c' } },
    { kind: 'register', status: 'passing', skipNodeUpdate: true },
  ],
  [
    'another one of that name takes the node over',
    member('alive'),
    critical,
    { kind: 'register', id: 'c', skipNodeUpdate: false },
  ],
  [
    'a failed one turns critical, its node untouched',
    member('failed'),
    passing,
    { kind: 'register', status: 'critical', skipNodeUpdate: true },
  ],
  ['a failed one that is critical is left alone', member('failed'), critical, { kind: 'none' }],
  ['a failed stranger is nobody', member('failed'), empty, { kind: 'none' }],
  ['one that left goes', member('left'), passing, { kind: 'deregister', node: 'n1' }],
  ['the leader never takes itself out', member('left', { name: 'leader' }), passing, { kind: 'none' }],
  ['one that is leaving still stands', member('leaving'), passing, { kind: 'none' }],
])('%s', (_, who, catalog, change) => {
  expect(reconcileMember(who, catalog, own)).toMatchObject(change);
});

it('registers a server with the service that marks it, and again when its version changes', () => {
  const tags = { ...clientTags, role: 'consul', port: '8300', raft_vsn: '3' };
  const who = member('alive', { tags });
  expect(reconcileMember(who, empty, own)).toMatchObject({
    kind: 'register',
    server: { rpcPort: 8300 },
    serviceMeta: { version: '0.1.0' },
  });
  const known = { ...passing, consulService: { ...nodeService.zero(), Meta: consulServiceMeta(who, serverOf(who)!) } };
  expect(reconcileMember(who, known, own)).toEqual({ kind: 'none' });
  expect(reconcileMember(member('alive', { tags: { ...tags, build: '0.2.0:' } }), known, own).kind).toBe('register');
});

it('finds nodes that were reaped while nobody led, and leaves external ones alone', () => {
  const checks = [
    check('passing'),
    { ...check('critical'), Node: 'gone' },
    { ...check('passing'), Node: 'external', CheckID: 'other' },
  ];
  expect(reapedNodes(checks, new Set(['n1']), 'leader')).toEqual(['gone']);
});
