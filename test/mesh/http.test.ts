/** Conversations with the intention and config entry routes over a state in memory: what the captures do not show. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backendRoutes } from '../../src/api/http/routes/index.ts';
import { noSnapshots, TestBackend } from '../support/backend.ts';
import { type Exchange, openDoor, type TestDoor } from '../support/door.ts';
import { caller, initialiseCa } from './support.ts';

const clusterId = '11111111-2222-3333-4444-555555555555';
const ours = `spiffe://${clusterId}.consul`;
const base = '/v1/connect/intentions';

let backend: TestBackend;
let door: TestDoor;
let closeCache: () => void;

beforeEach(async () => {
  backend = new TestBackend('n1');
  await initialiseCa(backend, clusterId);
  const { routes, cache } = backendRoutes({ backend, snapshots: noSnapshots });
  door = await openDoor(routes);
  closeCache = () => cache.close();
});
afterEach(async () => {
  expect(door.errors).toEqual([]);
  closeCache();
  await door.close();
});

async function ok(method: string, path: string, body?: unknown): Promise<Exchange> {
  const answer = await door.call(method, path, body === undefined ? {} : { body: JSON.stringify(body) });
  expect(answer.text, `${method} ${path}`).not.toBe('internal error');
  expect(answer.status, answer.text).toBe(200);
  return answer;
}
const json = async (method: string, path: string, body?: unknown): Promise<unknown> =>
  JSON.parse((await ok(method, path, body)).text);
const exact = (source: string, destination: string): string =>
  `${base}/exact?source=${encodeURIComponent(source)}&destination=${encodeURIComponent(destination)}`;
const checked = async (source: string, destination: string): Promise<boolean> =>
  ((await json('GET', exact(source, destination).replace('exact', 'check'))) as { Allowed: boolean }).Allowed;
const authorize = (uri: string, Target: string): Promise<unknown> =>
  json('POST', '/v1/agent/connect/authorize', { Target, ClientCertURI: uri });
const service = (name: string, td = ours, dc = 'dc1'): string => `${td}/ns/default/dc/${dc}/svc/${name}`;

describe('decisions', () => {
  it('check sees each write at once, and each undoing', async () => {
    for (let round = 0; round < 20; round++) {
      await ok('PUT', exact('web', 'db'), { Action: 'deny' });
      expect(await checked('web', 'DB')).toBe(false);
      await ok('DELETE', exact('web', 'db'));
      expect(await checked('web', 'DB')).toBe(true);
    }
  });

  it('authorize answers from what it keeps, and follows every change of it', async () => {
    await ok('PUT', exact('web', 'db'), { Action: 'allow' });
    const first = await door.call('POST', '/v1/agent/connect/authorize', {
      body: JSON.stringify({ Target: 'db', ClientCertURI: service('web') }),
    });
    expect([first.headers['x-cache'], first.headers.age]).toEqual(['MISS', undefined]);
    const second = await door.call('POST', '/v1/agent/connect/authorize', {
      body: JSON.stringify({ Target: 'DB', ClientCertURI: service('web') }),
    });
    expect([second.headers['x-cache'], second.headers.age]).toEqual(['HIT', '0']);

    // The change is pushed; a reader asks until it is there, and would ask for ever if it never came.
    const follows = async (Authorized: boolean, Reason: string): Promise<void> => {
      for (;;) {
        const answer = await authorize(service('web'), 'db');
        if ((answer as { Authorized: boolean }).Authorized !== Authorized) continue;
        expect(answer).toEqual({ Authorized, Reason });
        return;
      }
    };
    await ok('PUT', exact('web', 'db'), { Action: 'deny' });
    await follows(false, 'Matched L4 intention: default/web => default/db (Precedence: 9, Action: DENY)');
    await ok('DELETE', exact('web', 'db'));
    await follows(true, 'ACLs disabled, access is allowed by default');
    await ok('PUT', exact('*', '*'), { Action: 'deny' });
    await follows(false, 'Matched L4 intention: default/* => default/* (Precedence: 5, Action: DENY)');
  });

  it('agree between check by name, check by URI and authorize', async () => {
    await ok('PUT', exact('web', 'db'), { Action: 'deny' });
    await ok('PUT', exact('*', 'db'), { Action: 'allow' });
    for (const name of ['web', 'Web', 'api']) {
      const byName = await checked(name, 'db');
      expect(await checked(service(name), 'db')).toBe(byName);
      expect(await authorize(service(name), 'db')).toMatchObject({ Authorized: byName });
    }
  });

  it('compare the trust domain and the datacenter of a certificate', async () => {
    await ok('PUT', exact('web', 'db'), { Action: 'allow' });
    expect(await authorize(service('web', 'spiffe://other.consul'), 'db')).toEqual({
      Authorized: false,
      Reason: `Client is of trust domain "other.consul", this mesh is "${clusterId}.consul", and no intention allows its URI`,
    });
    expect(await authorize(service('web', ours, 'dc9'), 'db')).toMatchObject({ Authorized: false });
    expect(await authorize(service('web', ours.toUpperCase().replace('SPIFFE', 'spiffe')), 'db')).toMatchObject({
      Authorized: true,
    });
  });

  it('authorize that was asked before there was a trust domain learns of it', async () => {
    const young = new TestBackend('n1');
    // Index 1 is that of a leader's first, empty entry: no write has it.
    await young.apply('kv.set', { Key: 'first', Value: null, Flags: 0 }, caller);
    const { routes, cache } = backendRoutes({ backend: young, snapshots: noSnapshots });
    const early = await openDoor(routes);
    const body = JSON.stringify({ Target: 'db', ClientCertURI: service('web') });
    const ask = async (): Promise<unknown> =>
      JSON.parse((await early.call('POST', '/v1/agent/connect/authorize', { body })).text);
    expect(await ask()).toEqual({
      Authorized: false,
      Reason: `The mesh has no trust domain yet, so the client's "${clusterId}.consul" cannot be its own`,
    });
    await initialiseCa(young, clusterId);
    await expect.poll(ask).toMatchObject({ Authorized: true });
    cache.close();
    await early.close();
  });

  it('are explained on request', async () => {
    await ok('PUT', exact('Web', 'db'), { Action: 'allow' });
    await ok('PUT', exact('*', 'db'), { Action: 'deny' });
    await ok('PUT', exact('web', '*'), { Action: 'allow' });
    expect(await json('GET', `${base}/check?source=web&destination=db&explain`)).toEqual({
      Allowed: false,
      Reason: 'Matched L4 intention: default/* => default/db (Precedence: 8, Action: DENY)',
      Considered: [
        {
          SourceName: 'Web',
          DestinationName: 'db',
          Precedence: 9,
          Action: 'allow',
          Verdict: 'other',
          Why: 'About "Web"; the client is "web", and letter case counts in source names',
        },
        {
          SourceName: '*',
          DestinationName: 'db',
          Precedence: 8,
          Action: 'deny',
          Verdict: 'decided',
          Why: 'default/* => default/db (Precedence: 8, Action: DENY)',
        },
        {
          SourceName: 'web',
          DestinationName: '*',
          Precedence: 6,
          Action: 'allow',
          Verdict: 'outranked',
          Why: 'Applies, but one of higher precedence decided',
        },
      ],
      Omitted: 0,
    });
  });
});

describe('a source that is a URI', () => {
  it('is written by either API, in any spelling, and shown in one', async () => {
    await ok('POST', base, { SourceName: 'spiffe://Partner.example', DestinationName: 'db', Action: 'allow' });
    await ok('PUT', '/v1/config', {
      Kind: 'service-intentions',
      Name: 'api',
      Sources: [{ Name: `${ours.toUpperCase()}/ns/default/dc/dc1/svc/we%62`, Action: 'deny' }],
    });
    const list = (await json('GET', base)) as { SourceName: string; Precedence: number; SourceType: string }[];
    expect(list.map((each) => [each.SourceName, each.Precedence, each.SourceType])).toEqual([
      [service('web'), 9, 'consul'],
      ['spiffe://partner.example/*', 8, 'consul'],
    ]);
    expect(await checked('web', 'api')).toBe(false);
    expect(await checked(service('x', 'spiffe://partner.example', 'anywhere'), 'db')).toBe(true);
    expect(await json('GET', exact('spiffe://partner.example/', 'db'))).toMatchObject({ Action: 'allow' });
    const match = await json('GET', `${base}/match?by=source&name=${encodeURIComponent('spiffe://PARTNER.example')}`);
    expect(Object.values(match as object)[0]).toHaveLength(1);
    await ok('DELETE', exact('spiffe://partner.example', 'db'));
    expect(await checked(service('x', 'spiffe://partner.example', 'anywhere'), 'db')).toBe(false);
  });

  it('is refused with the reason when it is none of ours', async () => {
    const answer = await door.call('PUT', exact('spiffe://td/agent/client/dc/dc1/id/n1', 'db'), {
      body: '{"Action":"allow"}',
    });
    expect([answer.status, answer.text]).toEqual([
      500,
      'Sources[0].Name: "spiffe://td/agent/client/dc/dc1/id/n1" is neither a service\'s URI (spiffe://<trust domain>/ns/<namespace>/dc/<datacenter>/svc/<service>) nor a trust domain (spiffe://<trust domain>/*)',
    ]);
  });
});

describe('writes', () => {
  it('delete by names leaves legacy siblings what they are', async () => {
    const { ID } = (await json('POST', base, {
      SourceName: 'web',
      DestinationName: 'db',
      Action: 'allow',
      Meta: { team: 'a' },
    })) as { ID: string };
    await ok('POST', base, { SourceName: 'api', DestinationName: 'db', Action: 'deny' });
    await ok('DELETE', exact('api', 'db'));
    expect(await json('GET', `${base}/${ID}`)).toMatchObject({ SourceName: 'web', Meta: { team: 'a' } });
    await ok('DELETE', `${base}/${ID.toUpperCase()}`);
    expect(await json('GET', base)).toEqual([]);
  });

  it('a refused one leaves nothing behind', async () => {
    await ok('PUT', exact('web', 'db'), { Action: 'allow' });
    const before = await ok('GET', base);
    const refusals: [string, string, unknown, number, string][] = [
      ['POST', base, null, 400, 'Failed to decode request body: null is not an intention'],
      [
        'PUT',
        exact('api', 'db'),
        { Permissions: [{ Action: 'allow', HTTP: { PathExact: '/' } }] },
        500,
        'service "db" has protocol "tcp", which is incompatible with L7 intentions permissions',
      ],
      [
        'PUT',
        '/v1/config',
        { Kind: 'mesh' },
        400,
        'Bad request: Request decoding failed: config entry kind "mesh" is not supported by this version',
      ],
      ['PUT', exact('x'.repeat(513), 'db'), { Action: 'allow' }, 500, 'Sources[1].Name exceeds maximum length 512'],
    ];
    for (const [method, path, body, status, text] of refusals) {
      const answer = await door.call(method, path, { body: JSON.stringify(body) });
      expect([answer.status, answer.text]).toEqual([status, text]);
    }
    const after = await ok('GET', base);
    expect([after.text, after.headers['x-consul-index']]).toEqual([before.text, before.headers['x-consul-index']]);
  });

  it('permissions hold on to the protocol they rest on', async () => {
    const permissions = [{ Action: 'allow', HTTP: { PathPrefix: '/' } }];
    await ok('PUT', '/v1/config', { Kind: 'proxy-defaults', Config: { protocol: 'HTTP' } });
    await ok('PUT', exact('web', 'Db'), { Permissions: permissions });
    const tcp = 'service "Db" has protocol "tcp", which is incompatible with L7 intentions permissions';
    for (const [method, path, body] of [
      ['PUT', '/v1/config', { Kind: 'proxy-defaults', Config: {} }],
      ['DELETE', '/v1/config/proxy-defaults/global', undefined],
      ['PUT', '/v1/config', { Kind: 'service-defaults', Name: 'db' }],
    ] as const) {
      const answer = await door.call(method, path, body === undefined ? {} : { body: JSON.stringify(body) });
      expect([answer.status, answer.text]).toEqual([500, tcp]);
    }
    await ok('PUT', '/v1/config', { Kind: 'service-defaults', Name: 'db', Protocol: 'grpc' });
    await ok('DELETE', '/v1/config/proxy-defaults/global');
    await ok('DELETE', exact('web', 'dB'));
    await ok('DELETE', '/v1/config/service-defaults/DB');
    expect(await json('GET', '/v1/config/')).toEqual([]);
  });

  it('check-and-set on delete', async () => {
    await ok('PUT', '/v1/config', { Kind: 'service-defaults', Name: 'a', Protocol: 'http' });
    const { ModifyIndex } = (await json('GET', '/v1/config/service-defaults/a')) as { ModifyIndex: number };
    expect(await json('DELETE', `/v1/config/service-defaults/a?cas=${ModifyIndex + 1}`)).toBe(false);
    expect(await json('DELETE', `/v1/config/service-defaults/a?cas=${ModifyIndex}`)).toBe(true);
    expect((await door.call('GET', '/v1/config/service-defaults/a')).status).toBe(404);
  });
});

describe('blocking reads', () => {
  const indexOf = (answer: Exchange): string => String(answer.headers['x-consul-index']);

  it('match sleeps through changes of others and wakes for its own and for those of `*`', async () => {
    await ok('PUT', exact('web', 'db'), { Action: 'allow' });
    const path = `${base}/match?by=destination&name=db`;
    let index = indexOf(await ok('GET', path));
    for (const [mine, expected] of [
      [exact('api', 'DB'), 2],
      [exact('*', '*'), 3],
    ] as const) {
      let done = false;
      const waiting = ok('GET', `${path}&index=${index}&wait=60s`).finally(() => {
        done = true;
      });
      await ok('PUT', exact('web', `other-${expected}`), { Action: 'allow' });
      await ok('PUT', '/v1/config', { Kind: 'service-defaults', Name: `sd-${expected}` });
      expect(done).toBe(false);
      await ok('PUT', mine, { Action: 'deny' });
      const answer = await waiting;
      expect((JSON.parse(answer.text) as { db: unknown[] }).db).toHaveLength(expected);
      expect(Number(indexOf(answer))).toBeGreaterThan(Number(index));
      index = indexOf(answer);
    }
  });

  it('the list wakes for any config entry', async () => {
    const index = indexOf(await ok('PUT', exact('a', 'b'), { Action: 'allow' }).then(() => ok('GET', base)));
    const waiting = ok('GET', `${base}?index=${index}&wait=60s`);
    await ok('PUT', '/v1/config', { Kind: 'service-defaults', Name: 'anything' });
    expect(Number(indexOf(await waiting))).toBeGreaterThan(Number(index));
  });
});
