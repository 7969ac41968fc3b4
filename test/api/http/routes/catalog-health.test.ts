/** Catalog and health: registration in, the same instance out of every read, with its headers, order, filters and cache. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApi, type TestApi } from '../../../support/api.ts';
import { backendFailure } from '../../../support/backend.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
  for (const [node, port, status] of [
    ['n1', 81, 'passing'],
    ['n2', 82, 'critical'],
    ['n3', 83, 'passing'],
  ] as const) {
    const registered = await api.put('/v1/catalog/register', {
      Node: node,
      Address: `10.0.0.${port}`,
      NodeMeta: { rack: node === 'n3' ? 'r2' : 'r1' },
      Service: { ID: `web-${node}`, Service: 'web', Port: port, Tags: ['v1', node] },
      Check: { Node: node, CheckID: `web-${node}`, Name: 'alive', ServiceID: `web-${node}`, Status: status },
    });
    expect({ status: registered.status, text: registered.text }).toEqual({ status: 200, text: 'true' });
  }
  for (const [node, x] of [
    ['n1', 0.3],
    ['n2', 0.1],
    ['me', 0],
  ] as const) {
    if (node === 'me') await api.put('/v1/catalog/register', { Node: 'me', Address: '10.0.0.1' });
    await api.put('/v1/coordinate/update', { Node: node, Coord: { Vec: [x, 0, 0, 0, 0, 0, 0, 0], Height: 0.00001 } });
  }
});
afterAll(async () => {
  expect(api.errors).toEqual([]);
  await api.close();
});

const nodesOf = (text: string): string[] =>
  (JSON.parse(text) as { Node: { Node: string } }[]).map((row) => row.Node.Node);
const names = (text: string): string[] => (JSON.parse(text) as { Node: string }[]).map((row) => row.Node);

describe('reads', () => {
  it.each([
    ['/v1/health/service/web', ['n1', 'n2', 'n3']],
    ['/v1/health/service/WEB', ['n1', 'n2', 'n3']],
    ['/v1/health/service/web?passing', ['n1', 'n3']],
    ['/v1/health/service/web?passing=false', ['n1', 'n2', 'n3']],
    ['/v1/health/service/web?tag=V1&tag=n2', ['n2']],
    ['/v1/health/service/web?node-meta=rack:r1', ['n1', 'n2']],
    ['/v1/health/service/web?filter=Service.Port+!=+82', ['n1', 'n3']],
    ['/v1/health/service/web?near=me', ['n2', 'n1', 'n3']],
    ['/v1/health/service/web?near=nobody', ['n1', 'n2', 'n3']],
    ['/v1/health/service/nope', []],
    ['/v1/health/connect/web', []],
  ])('%s', async (path, nodes) => {
    expect(nodesOf((await api.get(path)).text)).toEqual(nodes);
  });

  it.each([
    ['/v1/catalog/nodes', ['me', 'n1', 'n2', 'n3']],
    ['/v1/catalog/nodes?near=me', ['me', 'n2', 'n1', 'n3']],
    ['/v1/catalog/nodes?node-meta=rack:r2', ['n3']],
    ['/v1/catalog/service/web?tag=n1', ['n1']],
    ['/v1/health/checks/web?filter=Status+==+critical', ['n2']],
    ['/v1/health/state/critical', ['n2']],
    ['/v1/health/state/any?node-meta=rack:r2', ['n3']],
    ['/v1/health/node/n1', ['n1']],
    ['/v1/coordinate/nodes', ['me', 'n1', 'n2']],
    ['/v1/coordinate/node/ME', ['ME']],
  ])('%s', async (path, nodes) => {
    expect(names((await api.get(path)).text)).toEqual(nodes);
  });

  it('one node with its services, as a map, as a list, and as nothing', async () => {
    expect(JSON.parse((await api.get('/v1/catalog/node/N1')).text)).toMatchObject({
      Node: { Node: 'n1' },
      Services: { 'web-n1': {} },
    });
    expect(JSON.parse((await api.get('/v1/catalog/node-services/n1?filter=Port==1')).text).Services).toEqual([]);
    expect((await api.get('/v1/catalog/node/nope')).text).toBe('null');
    expect((await api.get('/v1/catalog/node-services/nope')).text).toBe('{"Node":null,"Services":null}');
  });

  it('services with their tags', async () => {
    const services = JSON.parse((await api.get('/v1/catalog/services')).text) as Record<string, string[]>;
    expect(services.web?.toSorted()).toEqual(['n1', 'n2', 'n3', 'v1']);
  });
});

describe('headers', () => {
  it.each([
    ['/v1/catalog/nodes', 'leader'],
    ['/v1/catalog/nodes?stale', 'stale'],
    ['/v1/catalog/nodes?max_stale=1s', 'stale'],
    ['/v1/health/service/web?consistent', 'consistent'],
  ])('%s is answered %s', async (path, consistency) => {
    expect((await api.get(path)).headers['x-consul-effective-consistency']).toBe(consistency);
  });

  it('a failed read of the catalog says so in its headers, one of a service does not', async () => {
    const catalog = await api.get('/v1/catalog/nodes?dc=nowhere');
    expect({ status: catalog.status, text: catalog.text }).toEqual({ status: 500, text: 'No path to datacenter' });
    expect(catalog.headers).toMatchObject({ 'x-consul-index': '1', 'x-consul-knownleader': 'false' });
    const health = await api.get('/v1/health/service/web?dc=nowhere');
    expect(health.headers['x-consul-index']).toBeUndefined();
  });

  it('a bad ?passing is told after the read, with its headers', async () => {
    const got = await api.get('/v1/health/service/web?passing=maybe');
    expect({ status: got.status, text: got.text }).toEqual({ status: 400, text: 'Invalid value for ?passing' });
    expect(Number(got.headers['x-consul-index'])).toBeGreaterThan(1);
  });

  it('too much waiting to be committed is a 503', async () => {
    api.backend.failure = backendFailure('overloaded', 'too many writes wait');
    const got = await api.put('/v1/catalog/deregister', { Node: 'nope' });
    api.backend.failure = undefined;
    expect(got.status).toBe(503);
    expect(got.headers['retry-after']).toBe('1');
  });
});

describe('what is wrong', () => {
  it.each([
    ['GET', '/v1/catalog/service/', undefined, 400, 'Missing service name'],
    ['GET', '/v1/catalog/node/', undefined, 400, 'Missing node name'],
    ['GET', '/v1/health/state/', undefined, 400, 'Missing check state'],
    ['GET', '/v1/catalog/nodes?index=abc', undefined, 400, 'Invalid index'],
    ['GET', '/v1/catalog/nodes?index=-1', undefined, 400, 'Invalid index'],
    ['GET', '/v1/catalog/nodes?wait=10', undefined, 400, 'Invalid wait time'],
    ['GET', '/v1/catalog/nodes?max_stale=abc', undefined, 400, 'Invalid max_stale value "abc"'],
    [
      'GET',
      '/v1/catalog/nodes?stale&consistent',
      undefined,
      400,
      'Cannot specify ?stale with ?consistent, conflicting semantics.',
    ],
    [
      'GET',
      '/v1/catalog/nodes?cached&consistent',
      undefined,
      400,
      'Cannot specify ?cached with ?consistent, conflicting semantics.',
    ],
    ['PUT', '/v1/catalog/register', '', 400, 'Request decode failed: EOF'],
    ['PUT', '/v1/catalog/register', '{}', 500, 'Must provide node'],
    [
      'PUT',
      '/v1/catalog/register',
      '{"Node":"x","Namespace":"y"}',
      400,
      'Request decode failed: json: unknown field "Namespace" - Namespaces are a Consul Enterprise feature',
    ],
    [
      'PUT',
      '/v1/catalog/register',
      '{"Node":7}',
      400,
      'Request decode failed: json: cannot unmarshal number into Go struct field .Node of type string',
    ],
    [
      'PUT',
      '/v1/catalog/register',
      '{"Node":"x","Address":"1.1.1.1","Service":{"Service":"s","Port":1e2}}',
      400,
      'Request decode failed: json: cannot unmarshal number 1e2 into Go struct field .Service.Port of type int',
    ],
    ['PUT', '/v1/catalog/deregister', '{"Foo":1}', 400, 'Request decode failed: json: unknown field "Foo"'],
    ['PUT', '/v1/coordinate/update', '{"Node":"n1"}', 400, 'Bad request: Missing coordinate'],
    ['PUT', '/v1/coordinate/update', '{"Node":"n1","Coord":{"Vec":[1]}}', 500, 'incompatible coordinate'],
    ['GET', '/v1/coordinate/node/nope', undefined, 404, ''],
  ])('%s %s %s', async (method, path, body, status, text) => {
    const got = await api.call(method, path, body === undefined ? {} : { body });
    expect({ status: got.status, text: got.text }).toEqual({ status, text });
  });
});

describe('the agent cache', () => {
  it('misses once, then hits, and follows changes', async () => {
    const first = await api.get('/v1/health/service/cached?cached');
    expect(first.headers['x-cache']).toBe('MISS');
    expect(first.headers.age).toBeUndefined();
    const second = await api.get('/v1/health/service/cached?cached');
    expect(second.headers).toMatchObject({ 'x-cache': 'HIT', age: '0', 'x-consul-query-backend': 'streaming' });
    const waiting = api.get(`/v1/health/service/cached?cached&index=${second.headers['x-consul-index']}&wait=20s`);
    await api.put('/v1/catalog/register', { Node: 'n1', Address: '10.0.0.81', Service: { Service: 'cached' } });
    expect(nodesOf((await waiting).text)).toEqual(['n1']);
    expect(nodesOf((await api.get('/v1/health/service/cached?cached')).text)).toEqual(['n1']);
  });

  it('asks again for another tag', async () => {
    expect((await api.get('/v1/health/service/cached?cached&tag=x')).headers['x-cache']).toBe('MISS');
  });

  it('keeps datacenters for as long as the caller accepts', async () => {
    const ask = async (age: string) =>
      (await api.get('/v1/catalog/datacenters?cached', { 'Cache-Control': `max-age=${age}` })).headers['x-cache'];
    expect([await ask('30'), await ask('30'), await ask('-1')]).toEqual(['MISS', 'HIT', 'MISS']);
  });
});

it('the encoding of an unchanged answer is made once, and a change is seen at once', async () => {
  const path = '/v1/health/service/web?passing';
  const before = await api.get(path);
  expect((await api.get(path)).text).toBe(before.text);
  await api.put('/v1/catalog/register', {
    Node: 'n2',
    SkipNodeUpdate: true,
    Check: { Node: 'n2', CheckID: 'web-n2', Name: 'alive', ServiceID: 'web-n2', Status: 'passing' },
  });
  expect(nodesOf((await api.get(path)).text)).toEqual(['n1', 'n2', 'n3']);
});

it('reads without a word on consistency are stale ones where the configuration says so', async () => {
  const other = await openApi({ defaults: { discoveryMaxStaleMs: 5000, useCache: false }, coordinatesDisabled: true });
  const consistency = async (path: string) => (await other.get(path)).headers['x-consul-effective-consistency'];
  expect(await consistency('/v1/catalog/nodes')).toBe('stale');
  expect(await consistency('/v1/catalog/nodes?leader')).toBe('leader');
  expect((await other.get('/v1/catalog/nodes?cached&consistent')).status).toBe(200);
  const disabled = await other.get('/v1/coordinate/nodes');
  expect({ status: disabled.status, text: disabled.text }).toEqual({
    status: 401,
    text: 'Coordinate support disabled',
  });
  await other.close();
});
