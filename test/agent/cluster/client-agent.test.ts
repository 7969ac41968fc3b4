// Three servers and client agents, whole and in this process: what a client agent serves, and what it survives.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, until } from '../../support/eventually.ts';
import { AgentCluster } from './support.ts';

interface Check {
  CheckID: string;
  Status: string;
}
interface Instance {
  Node: { Node: string };
  Service: { ID: string; Port: number };
  Checks: Check[];
}

const cluster = new AgentCluster('127.0.19');
beforeAll(async () => {
  await cluster.servers(3);
  await Promise.all([cluster.start('c1'), cluster.start('c2')]);
}, 60_000);
afterAll(() => cluster.close());

const members = (agent: string) => cluster.get<{ Name: string; Status: number }[]>(agent, '/v1/agent/members');
const instances = (agent: string, name: string) => cluster.get<Instance[]>(agent, `/v1/health/service/${name}`);

describe('a client agent', () => {
  it('is a member like the servers, and a node of the catalog with a passing serfHealth', async () => {
    await until(
      () => members('s1'),
      (list) => list.length === 5 && list.every(({ Status }) => Status === 1),
    );
    const [check] = await until(
      () => cluster.get<Check[]>('c2', '/v1/health/node/c1'),
      (checks) => checks.length === 1,
    );
    expect(check).toMatchObject({ CheckID: 'serfHealth', Status: 'passing' });
    expect(await cluster.get('c1', '/v1/agent/members?wan=1')).toBeNull();
    expect(await cluster.get('c1', '/v1/agent/self')).toMatchObject({
      Config: { Server: false, NodeName: 'c1' },
      Stats: { consul: { server: 'false', known_servers: '3' } },
    });
  });

  it('writes and reads keys, in every way of reading, and sees its own write', async () => {
    expect(await cluster.put('c1', '/v1/kv/a', 'one')).toBe('200 true');
    for (const way of ['', '?consistent']) {
      const [row] = await cluster.get<{ Value: string }[]>('c1', `/v1/kv/a${way}`);
      expect(Buffer.from(row!.Value, 'base64').toString()).toBe('one');
    }
    await until(
      () => cluster.get<{ Value: string }[]>('c2', '/v1/kv/a?stale').catch(() => []),
      (rows) => rows.length === 1,
    );
  });

  it('registers services and checks, and a reader at the other host waits for their news', async () => {
    const service = { Name: 'web', Port: 80, Check: { TTL: '1h' } };
    expect(await cluster.put('c1', '/v1/agent/service/register', service)).toMatch(/^200/);
    const [instance] = await until(
      () => instances('c2', 'web'),
      (list) => list.length === 1,
    );
    expect(instance).toMatchObject({ Node: { Node: 'c1' }, Service: { ID: 'web', Port: 80 } });
    const first = await fetch(`${cluster.agent('c2').httpAddress}/v1/health/service/web`);
    const waiting = fetch(
      `${cluster.agent('c2').httpAddress}/v1/health/service/web?index=${first.headers.get('x-consul-index')}`,
    );
    expect(await cluster.put('c1', '/v1/agent/check/pass/service:web', '')).toMatch(/^200/);
    const news = (await (await waiting).json()) as Instance[];
    expect(news[0]!.Checks.map(({ Status }) => Status)).toEqual(['passing', 'passing']);
  });

  it('gives leaf certificates whose roots are the servers’, and decides on intentions', async () => {
    const leaf = await cluster.get<{ ServiceURI: string; CertPEM: string }>('c1', '/v1/agent/connect/ca/leaf/web');
    expect(leaf.ServiceURI).toMatch(/^spiffe:\/\/.+\/ns\/default\/dc\/dc1\/svc\/web$/);
    const roots = (agent: string) => cluster.get<{ ActiveRootID: string }>(agent, '/v1/agent/connect/ca/roots');
    expect((await roots('c1')).ActiveRootID).toBe((await roots('s1')).ActiveRootID);
    const deny = { Action: 'deny' };
    expect(await cluster.put('c1', '/v1/connect/intentions/exact?source=api&destination=web', deny)).toMatch(/^200/);
    const answer = await cluster.put(
      'c2',
      '/v1/agent/connect/authorize',
      { Target: 'web', ClientCertURI: leaf.ServiceURI.replace('svc/web', 'svc/api'), ClientCertSerial: '01' },
      'POST',
    );
    expect(answer).toContain('"Authorized":false');
  });

  it('fills its proxies up with central configuration, in the catalog too, and follows what changes', async () => {
    const entry = (more: object) => cluster.put('c2', '/v1/config', { Kind: 'service-defaults', Name: 'far', ...more });
    const UpstreamConfig = { Overrides: [{ Name: 'db' }], Defaults: { ConnectTimeoutMs: 5 } };
    expect(await entry({ Protocol: 'http', Mode: 'transparent', UpstreamConfig })).toBe('200 true');
    const far = { Name: 'far', Port: 1, Connect: { SidecarService: {} } };
    expect(await cluster.put('c1', '/v1/agent/service/register', far)).toMatch(/^200/);
    const shown = () => cluster.get<{ Proxy: object }>('c1', '/v1/agent/service/far-sidecar-proxy');
    const db = { DestinationName: 'db', Config: { connect_timeout_ms: 5 } };
    const filled = { Mode: 'transparent', Config: { protocol: 'http' } };
    expect((await shown()).Proxy).toMatchObject({ ...filled, Upstreams: [db, { ...db, DestinationName: '*' }] });
    const cataloged = async () => {
      const [instance] = await cluster.get<{ Service: { Proxy: object } }[]>(
        'c2',
        '/v1/health/service/far-sidecar-proxy',
      );
      return instance?.Service.Proxy;
    };
    await eventually(cataloged);
    expect(await cataloged()).toMatchObject({ ...filled, Upstreams: [{ ...db, CentrallyConfigured: true }, {}] });
    expect(await entry({ Protocol: 'grpc' })).toBe('200 true');
    await until(
      () => shown().then(({ Proxy: proxy }) => JSON.stringify(proxy)),
      (proxy) => proxy.includes('"protocol":"grpc"') && !proxy.includes('Upstreams'),
    );
    await until(cataloged, (proxy) => JSON.stringify(proxy).includes('"protocol":"grpc"'));
    expect(await cluster.put('c1', '/v1/agent/service/deregister/far')).toMatch(/^200/);
  });

  it('hands user events to every agent they concern', async () => {
    expect(await cluster.put('c1', '/v1/event/fire/deploy', 'now')).toContain('"Name":"deploy"');
    for (const name of ['s1', 's2', 's3', 'c1', 'c2']) {
      const [event] = await until(
        () => cluster.get<{ Payload: string }[]>(name, '/v1/event/list?name=deploy'),
        (list) => list.length === 1,
      );
      expect(Buffer.from(event!.Payload, 'base64').toString()).toBe('now');
    }
    await cluster.put('s1', '/v1/event/fire/only?node=c2', '');
    await until(
      () => cluster.get<unknown[]>('c2', '/v1/event/list?name=only'),
      (list) => list.length === 1,
    );
    expect(await cluster.get('c1', '/v1/event/list?name=only')).toEqual([]);
    expect(await cluster.put('c1', '/v1/event/fire/big', 'x'.repeat(600))).toBe(
      '500 1 error occurred:\n\t* error broadcasting event to segment "": user event exceeds configured limit of 512 bytes before encoding\n\n',
    );
  });

  it('says plainly that gossip has no keys', async () => {
    expect(await cluster.put('c1', '/v1/operator/keyring', undefined, 'GET')).toMatch(
      /^500 10 errors occurred:\n\t\* WAN error: 3\/3 nodes reported failure\n[\s\S]*\n\t\* dc1 \(LAN\) error: 5\/5 nodes reported failure\n/,
    );
    expect(await cluster.put('c1', '/v1/operator/keyring', { Key: 'short' }, 'POST')).toBe(
      '500 2 errors occurred:\n\t* WAN error: illegal base64 data at input byte 4\n\t* dc1 (LAN) error: illegal base64 data at input byte 4\n\n',
    );
  });
});

describe('when servers fail', () => {
  it('no request of a client fails while the leader is replaced, and its watchers hear of what happens after', async () => {
    const leader = await cluster.leader();
    const read = () => cluster.get<Instance[]>('c2', '/v1/health/service/web');
    const first = await fetch(`${cluster.agent('c2').httpAddress}/v1/health/service/web`);
    const index = Number(first.headers.get('x-consul-index'));
    const news = eventually(async () => {
      const answer = await fetch(`${cluster.agent('c2').httpAddress}/v1/health/service/web?index=${index}`);
      expect(answer.status).toBe(200);
      const list = (await answer.json()) as Instance[];
      return list[0]?.Checks.some(({ Status }) => Status === 'warning') ? list : undefined;
    });
    let stopped = false;
    const crash = cluster.crash(leader).then(() => {
      stopped = true;
    });
    let reads = 0;
    while (!stopped || reads < 20) {
      expect(await read()).toHaveLength(1);
      reads++;
    }
    await crash;
    expect(await cluster.put('c1', '/v1/kv/b', 'two')).toBe('200 true');
    expect(await cluster.put('c1', '/v1/agent/check/warn/service:web', '')).toMatch(/^200/);
    expect(await news).toHaveLength(1);
  }, 60_000);

  it('a lost majority leaves watchers with the last known state, which says so', async () => {
    const [other] = ['s1', 's2', 's3'].filter((name) => cluster.agents.has(name));
    const url = `${cluster.agent('c2').httpAddress}/v1/health/service/web`;
    const first = await fetch(url);
    const index = first.headers.get('x-consul-index');
    await (await fetch(`${url}?index=${index}&wait=10ms`)).text();
    await cluster.crash(other!);
    const ages: number[] = [];
    await eventually(async () => {
      const answer = await fetch(`${url}?index=${index}&wait=300ms`);
      expect(answer.status).toBe(200);
      expect((await answer.json()) as Instance[]).toHaveLength(1);
      if (answer.headers.get('x-consul-knownleader') === 'false')
        ages.push(Number(answer.headers.get('x-consul-lastcontact')));
      return ages.length >= 2 ? true : undefined;
    });
    expect(ages[1]).toBeGreaterThan(ages[0]!);
    expect(cluster.log.filter((line) => line.startsWith('c2 ')).join('\n')).toContain(
      'going on with the last known state',
    );
  }, 60_000);
});
