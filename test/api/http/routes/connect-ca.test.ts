/**
 * The CA endpoints over HTTP, on the real state machine, authority and caches: the captured exchanges of the reference system
 * in their order, each compared with status, headers and shape, and what the captures do not show.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CaManager, caServerOn, LeafCache, RootsCache } from '../../../../src/agent/connect/index.ts';
import type { Caller, CallName, Calls } from '../../../../src/api/backend.ts';
import { backendRoutes, leafRoutes, readDefaults } from '../../../../src/api/http/index.ts';
import { generateKey, leafKeySpec, privateKeyPem } from '../../../../src/ca/index.ts';
import type { Clock } from '../../../../src/std/clock.ts';
import { noSnapshots, TestBackend } from '../../../support/backend.ts';
import { acceptedDifference, capturesOf, comparable } from '../../../support/captures.ts';
import { openDoor, type TestDoor } from '../../../support/door.ts';

const clock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A leader's backend: the calls of the CA go to a real manager. */
class CaBackend extends TestBackend {
  readonly manager = new CaManager(
    { provider: 'consul', config: { LeafCertTTL: '72h', IntermediateCertTTL: '8760h' }, sealKey: null },
    {
      server: caServerOn(this, () => this.store.view),
      clock,
      log: { info: () => undefined, warn: () => undefined },
      randomBytes,
      uuid: randomUUID,
    },
  );

  override async call<N extends CallName>(
    name: N,
    args: Calls[N]['args'],
    caller: Caller,
  ): Promise<Calls[N]['result']> {
    if (name === 'ca.sign') {
      const { csr } = args as Calls['ca.sign']['args'];
      return (await this.manager.sign(csr, () => undefined)) as Calls[N]['result'];
    }
    if (name === 'ca.configure') {
      await this.manager.configure(args as Calls['ca.configure']['args']);
      return null as Calls[N]['result'];
    }
    return super.call(name, args, caller);
  }
}

interface Agent {
  readonly backend: CaBackend;
  readonly door: TestDoor;
  close(): Promise<void>;
}

async function startAgent(): Promise<Agent> {
  const backend = new CaBackend();
  const { routes, cache } = backendRoutes({ backend, snapshots: noSnapshots });
  const roots = new RootsCache({ backend, clock });
  const leaves = new LeafCache({ backend, roots, clock, random: Math.random });
  const door = await openDoor([...routes, ...leafRoutes(leaves, readDefaults)]);
  return {
    backend,
    door,
    close: async () => {
      leaves.stop();
      roots.stop();
      cache.close();
      backend.manager.loseLeadership();
      await door.close();
    },
  };
}

const captures = capturesOf('mesh', /^open-\d+-ca-/);

describe.skipIf(captures.length === 0)('beside the captures of the reference system', () => {
  let agent: Agent;
  beforeAll(async () => {
    agent = await startAgent();
    await agent.backend.manager.becomeLeader();
  });
  afterAll(() => agent.close());

  // The reference answers a rotated leaf some seconds later; here the cache has heard of the new root within moments.
  let leafIndex = '';
  it.each(captures)('$id', async ({ name, id, request, response }) => {
    const path = request.path.replace(/index=161\b/, `index=${leafIndex}`);
    const ask = () => agent.door.call(request.method, path, request.body === '' ? {} : { body: request.body });
    if (id === 'ca-leaf-rotated') await expect.poll(async () => (await ask()).text.split('BEGIN CERT').length).toBe(3);
    const got = await ask();
    if (id === 'ca-leaf') leafIndex = got.headers['x-consul-index'] as string;
    const [actual, expected] = [comparable({ ...got, body: got.text }), comparable(response)];
    if (acceptedDifference(name) === undefined) expect(actual).toBe(expected);
    else expect(actual).not.toBe(expected);
  });

  it('were all there', () => {
    expect(captures.length).toBe(48);
    expect(agent.door.errors).toEqual([]);
  });
});

describe('the CA over HTTP', () => {
  let agent: Agent;
  const get = (path: string) => agent.door.call('GET', path);
  const put = (body: unknown) => agent.door.call('PUT', '/v1/connect/ca/configuration', { body: JSON.stringify(body) });
  beforeAll(async () => {
    agent = await startAgent();
  });
  afterAll(() => agent.close());

  it('says so while there is no root yet', async () => {
    const roots = await get('/v1/connect/ca/roots');
    expect([roots.status, roots.text, roots.headers['x-consul-index']]).toEqual([
      500,
      'CA has not finished initializing',
      '1',
    ]);
    expect((await get('/v1/connect/ca/configuration')).status).toBe(500);
    expect((await put({ Provider: 'consul', Config: {} })).text).toBe('cluster has no CA bootstrapped yet');
    await agent.backend.manager.becomeLeader();
    expect((await get('/v1/connect/ca/roots')).status).toBe(200);
  });

  it('never shows a private key that was configured, and does not rotate when what it showed comes back', async () => {
    const PrivateKey = privateKeyPem(await generateKey(leafKeySpec));
    expect((await put({ Provider: 'consul', Config: { PrivateKey } })).status).toBe(200);
    const active = JSON.parse((await get('/v1/connect/ca/roots')).text).ActiveRootID;
    const shown = JSON.parse((await get('/v1/connect/ca/configuration')).text);
    expect(shown.Config.PrivateKey).toMatch(/^hidden:sha256:/);
    expect((await put({ ...shown, Config: { ...shown.Config, LeafCertTTL: '24h' } })).status).toBe(200);
    expect(JSON.parse((await get('/v1/connect/ca/roots')).text).ActiveRootID).toBe(active);
  });

  it('wakes a blocking read of the roots on a rotation, at the server and in the agent', async () => {
    const before = Number((await get('/v1/agent/connect/ca/roots')).headers['x-consul-index']);
    const reads = ['/v1/connect/ca/roots', '/v1/agent/connect/ca/roots'].map((path) =>
      get(`${path}?index=${before}&wait=20s`),
    );
    await expect.poll(() => agent.backend.store.waiting).toBeGreaterThanOrEqual(2);
    expect((await put({ Provider: 'consul', Config: {} })).status).toBe(200);
    for (const read of await Promise.all(reads)) {
      expect(Number(read.headers['x-consul-index'])).toBeGreaterThan(before);
      expect(JSON.parse(read.text).Roots.length).toBeGreaterThan(1);
    }
  });

  it('takes numbers however they are written, and keys of any case in the body', async () => {
    const body = '{"provider":"consul","config":{"CSRMaxPerSecond":1.5e2,"LeafCertTTL":"48h"},"Unknown":1}';
    expect((await agent.door.call('PUT', '/v1/connect/ca/configuration', { body })).status).toBe(200);
    const shown = JSON.parse((await get('/v1/connect/ca/configuration')).text);
    expect(shown.Config).toEqual({ CSRMaxPerSecond: 150, LeafCertTTL: '48h' });
  });

  it.each([
    'null',
    '[]',
    '"x"',
    '{"Config":[]}',
    '{"Config":{"LeafCertTTL":{}}}',
    '{"Provider":1}',
    '{"State":{"a":1}}',
    '',
    '{"Config":{"PrivateKey":[]}}',
  ])('refuses the body %s and changes nothing', async (body) => {
    const before = (await get('/v1/connect/ca/configuration')).text;
    const answer = await agent.door.call('PUT', '/v1/connect/ca/configuration', { body });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.text).not.toBe('');
    expect((await get('/v1/connect/ca/configuration')).text).toBe(before);
    expect(agent.door.errors).toEqual([]);
  });

  it('gives a leaf for any name that can be written in a path', async () => {
    const leaf = JSON.parse((await get('/v1/agent/connect/ca/leaf/a%20b%2Fc')).text);
    expect(leaf.Service).toBe('a b/c');
    expect(leaf.ServiceURI).toMatch(/\/svc\/a%20b%2Fc$/);
  });
});

it('is not there on an agent without the mesh', async () => {
  const { routes, cache } = backendRoutes({ backend: new CaBackend(), snapshots: noSnapshots, connectEnabled: false });
  const door = await openDoor(routes);
  for (const path of ['connect/ca/roots', 'connect/ca/configuration', 'agent/connect/ca/roots', 'connect/intentions']) {
    const answer = await door.call('GET', `/v1/${path}`);
    expect([answer.status, answer.text]).toEqual([500, 'Connect must be enabled in order to use this endpoint']);
  }
  cache.close();
  await door.close();
});
