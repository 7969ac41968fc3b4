/** Registration: who may take which node's name, what is refused and leaves nothing, what moves no index. */
import { describe, expect, it } from 'vitest';
import { Bench } from '../support.ts';

const id1 = '11111111-1111-4111-8111-111111111111';
const id2 = '22222222-2222-4222-8222-222222222222';
const serf = (Status: string) => ({ CheckID: 'serfHealth', Name: 'Serf Health Status', Status });
const service = { Service: { ID: 'web1', Service: 'web' } };
const deregister = (bench: Bench, Node: string, more: { ServiceID?: string; CheckID?: string } = {}) =>
  bench.apply('catalog.deregister', { Datacenter: '', Node, ServiceID: '', CheckID: '', ...more });
const nodes = (bench: Bench) => bench.query('catalog.nodes', {}).value;
const servicesOn = (bench: Bench, node: string) =>
  (bench.query('catalog.node', { node }).value?.Services ?? []).map((instance) => instance.ID);

describe('node identity', () => {
  it.each([
    {
      name: 'an id under its own name is an update',
      before: { Node: 'n1', ID: id1, Address: 'a', ...service },
      second: { Node: 'n1', ID: id1, Address: 'b' },
      nodes: [{ Node: 'n1', ID: id1, Address: 'b', CreateIndex: 1, ModifyIndex: 2 }],
      services: ['web1'],
    },
    {
      name: 'an id under another name is a rename: what was on the node is gone',
      before: { Node: 'n1', ID: id1, Address: 'a', ...service },
      second: { Node: 'n2', ID: id1, Address: 'a' },
      nodes: [{ Node: 'n2', ID: id1, CreateIndex: 1, ModifyIndex: 2 }],
      services: [],
    },
    {
      name: 'an id takes the name of a node without one',
      before: { Node: 'n1', Address: 'a', ...service, Check: serf('passing') },
      second: { Node: 'N1', ID: id1, Address: 'a' },
      nodes: [{ Node: 'N1', ID: id1, CreateIndex: 1, ModifyIndex: 2 }],
      services: ['web1'],
    },
    {
      name: 'an id takes the name of a node whose serfHealth is critical, its services stay',
      before: { Node: 'n1', ID: id1, Address: 'a', ...service, Check: serf('critical') },
      second: { Node: 'N1', ID: id2, Address: 'b' },
      nodes: [{ Node: 'N1', ID: id2, CreateIndex: 1, ModifyIndex: 2 }],
      services: ['web1'],
    },
    {
      name: 'an id takes the name of a node without serfHealth',
      before: { Node: 'n1', ID: id1, Address: 'a', ...service },
      second: { Node: 'n1', ID: id2, Address: 'a' },
      nodes: [{ Node: 'n1', ID: id2, CreateIndex: 1, ModifyIndex: 2 }],
      services: ['web1'],
    },
    {
      name: 'without an id the name decides, and the id is lost',
      before: { Node: 'n1', ID: id1, Address: 'a', ...service, Check: serf('passing') },
      second: { Node: 'N1', Address: 'a' },
      nodes: [{ Node: 'N1', ID: '', CreateIndex: 1, ModifyIndex: 2 }],
      services: ['web1'],
    },
  ])('$name', ({ before, second, nodes: expected, services }) => {
    const bench = new Bench();
    bench.register(before);
    bench.register(second);
    expect(nodes(bench)).toMatchObject(expected);
    expect(nodes(bench)).toHaveLength(expected.length);
    expect(servicesOn(bench, second.Node)).toEqual(services);
  });

  it.each([
    {
      name: 'a new id',
      register: { Node: 'N1', ID: id2, Address: 'b' },
      text: `failed inserting node: Error while renaming Node ID: "${id2}": Node name N1 is reserved by node ${id1} with name n1 (a)`,
    },
    {
      name: 'a known id',
      register: { Node: 'n1', ID: '33333333-3333-4333-8333-333333333333', Address: 'c' },
      text: `failed inserting node: Error while renaming Node ID: "33333333-3333-4333-8333-333333333333" (c): Node name n1 is reserved by node ${id1} with name n1 (a)`,
    },
  ])('$name is refused the name of a healthy node, and everything stays as it was', ({ register, text }) => {
    const bench = new Bench();
    bench.register({ Node: 'n1', ID: id1, Address: 'a', ...service, Check: serf('passing') });
    bench.register({ Node: 'n3', ID: '33333333-3333-4333-8333-333333333333', Address: 'c' });
    const before = nodes(bench);
    expect(() => bench.register(register)).toThrow(text);
    expect(nodes(bench)).toEqual(before);
    expect(servicesOn(bench, 'n1')).toEqual(['web1']);
  });

  it('finds a node by name, id, or the one id that begins so', () => {
    const bench = new Bench();
    bench.register({ Node: 'n1', ID: id1, Address: 'a' });
    bench.register({ Node: 'n2', ID: id2, Address: 'b' });
    const find = (node: string) => bench.query('catalog.node', { node }).value?.Node.Node;
    expect([find('N1'), find(id2), find('22'), find('2'), find('ghost')]).toEqual([
      'n1',
      'n2',
      'n2',
      undefined,
      undefined,
    ]);
  });
});

describe('a registration', () => {
  it.each([
    { body: { Address: 'a' }, text: 'Must provide node' },
    { body: { Node: 'n1', Address: 'a', ID: 'short' }, text: 'Bad node ID: uuid string is wrong length' },
    { body: { Node: 'n1', Address: 'a', ID: 'z'.repeat(36) }, text: 'Bad node ID: uuid is improperly formatted' },
    { body: { Node: 'n1' }, text: 'Must provide address if SkipNodeUpdate is not set' },
    { body: { Node: 'n1', Address: 'a', Service: { ID: 'x' } }, text: 'Must provide service name with ID' },
    { body: { Node: 'n1', Address: 'a', Service: { Service: 'x', Address: '::' } }, text: 'Invalid service address' },
    {
      body: { Node: 'n1', Address: 'a', Service: { Service: 's', Meta: { 'consul-a': 'b' } } },
      text: "failed inserting service: Invalid Service Meta for node n1 and serviceID s: Couldn't load metadata pair ('consul-a', 'b'): Key prefix 'consul-' is reserved for internal use",
    },
    {
      body: { Node: 'n1', Address: 'a', Check: { Name: 'c', Node: 'n2' } },
      text: 'check node "n2" does not match node "n1"',
    },
    {
      body: { Node: 'n1', Address: 'a', Check: { Name: 'c', ServiceID: 'ghost' } },
      text: 'failed inserting check: Missing service registration on node "n1"',
    },
  ])('is refused whole: $text', ({ body, text }) => {
    const bench = new Bench();
    expect(() => bench.register(body)).toThrow(text);
    expect(nodes(bench)).toEqual([]);
    expect(bench.query('catalog.services', {}).value).toEqual({});
  });

  it('fills in what is left out', () => {
    const bench = new Bench();
    bench.register({ Node: 'n1', Address: 'a', Service: { Service: 'web' }, Check: { Name: 'c', ServiceID: 'web' } });
    const [instance] = bench.query('health.service', { name: 'WEB' }).value;
    expect(instance?.Node.Datacenter).toBe('dc1');
    expect(instance?.Service).toMatchObject({ ID: 'web', Weights: { Passing: 1, Warning: 1 }, Tags: null });
    expect(instance?.Checks).toMatchObject([{ CheckID: 'c', Status: 'critical', ServiceName: 'web', Node: 'n1' }]);
  });

  it('keeps a node as it is with SkipNodeUpdate, and makes one that is not there', () => {
    const bench = new Bench();
    bench.register({ Node: 'n1', Address: 'a', NodeMeta: { k: 'v' } });
    bench.register({ Node: 'N1', SkipNodeUpdate: true, ...service });
    bench.register({ Node: 'n2', SkipNodeUpdate: true });
    expect(nodes(bench)).toMatchObject([
      { Node: 'n1', Address: 'a', Meta: { k: 'v' } },
      { Node: 'n2', Address: '' },
    ]);
  });

  it('under another service name leaves the old name, which then is extinct', () => {
    const bench = new Bench();
    bench.register({ Node: 'n1', Address: 'a', ...service });
    bench.register({ Node: 'n1', Address: 'a', Service: { ID: 'web1', Service: 'api' } });
    expect(Object.keys(bench.query('catalog.services', {}).value)).toEqual(['api']);
    expect(bench.query('health.service', { name: 'web' })).toMatchObject({ value: [], index: bench.index });
  });
});

it('deregistering takes along what depends on it, and what is not there is gone already', () => {
  const bench = new Bench();
  const Checks = [
    { CheckID: 'c', Name: 'c', ServiceID: 'web1' },
    { CheckID: 'node', Name: 'node' },
  ];
  bench.register({ Node: 'n1', Address: 'a', ...service, Checks: Checks.map((check) => ({ ...check, Node: 'n1' })) });
  const checks = () => bench.query('health.node', { node: 'n1' }).value.map((check) => check.CheckID);
  expect(deregister(bench, 'n1', { ServiceID: 'ghost', CheckID: 'c' })).toBe(true);
  expect(checks()).toEqual(['c', 'node']);
  deregister(bench, 'N1', { ServiceID: 'WEB1' });
  expect(checks()).toEqual(['node']);
  deregister(bench, 'n1');
  deregister(bench, 'n1');
  expect([checks(), nodes(bench)]).toEqual([[], []]);
});

describe('proxies', () => {
  const proxy = (id: string, destination: string, name = 'proxies') => ({
    Service: { ID: id, Service: name, Kind: 'connect-proxy', Port: 1, Proxy: { DestinationServiceName: destination } },
  });
  it('are found by destination, and their going is seen though others of their name stay', () => {
    const bench = new Bench();
    bench.register({ Node: 'n1', Address: 'a', ...proxy('p1', 'web') });
    bench.register({ Node: 'n1', Address: 'a', ...proxy('p2', 'db') });
    bench.register({ Node: 'n2', Address: 'a', ...proxy('p3', 'web', 'others') });
    const ids = () => bench.query('health.connect', { name: 'WEB' }).value.map((instance) => instance.Service.ID);
    expect(ids()).toEqual(['p1', 'p3']);
    const before = bench.query('health.connect', { name: 'web' }).index;
    deregister(bench, 'n2');
    expect(ids()).toEqual(['p1']);
    expect(bench.query('health.connect', { name: 'web' }).index).toBeGreaterThan(before);
    bench.register({ Node: 'n1', Address: 'a', ...proxy('p1', 'db') });
    expect(ids()).toEqual([]);
    expect(bench.query('health.connect', { name: 'web' }).index).toBe(bench.index);
  });
});
