// Central configuration: what a server resolves of the entries, and how a registration is filled up with it. Rules as the
// captures show them; whatever a registration says itself holds.
import { beforeEach, describe, expect, it } from 'vitest';
import { mergeServiceConfig, serviceConfigRequest } from '../../src/mesh/index.ts';
import {
  decodeConfigEntry,
  type NodeService,
  nodeService,
  proxy as proxySchema,
  type Upstream,
  upstream as upstreamSchema,
} from '../../src/structs/index.ts';
import { TestBackend } from '../support/backend.ts';

const caller = { token: '', address: '', call: 'test', datacenter: '' };
const reading = { caller, consistency: 'default' } as const;

let backend: TestBackend;
beforeEach(() => {
  backend = new TestBackend();
});

async function entry(body: object): Promise<void> {
  const decoded = decodeConfigEntry(body);
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.error));
  await backend.apply('configEntry.set', { Entry: decoded.value, Cas: undefined }, caller);
}

const upstream = (DestinationName: string, more: Partial<Upstream> = {}): Upstream => ({
  ...upstreamSchema.zero(),
  DestinationType: 'service',
  DestinationName,
  ...more,
});

type ProxyRecord = NonNullable<NodeService['Proxy']>;
const sidecar = (more: Partial<ProxyRecord> = {}): NodeService => ({
  ...nodeService.zero(),
  Kind: 'connect-proxy',
  ID: 'web-sidecar-proxy',
  Service: 'web-sidecar-proxy',
  Proxy: { ...proxySchema.zero(), DestinationServiceName: 'web', ...more },
});

async function merged(service: NodeService): Promise<ProxyRecord> {
  const { value } = await backend.query('configEntry.resolve', serviceConfigRequest(service)!, reading);
  return mergeServiceConfig(service, value).Proxy!;
}

it('leaves a registration as it is while there are no entries', async () => {
  for (const given of [sidecar(), sidecar({ Upstreams: [upstream('db')], Config: { a: 1 } })]) {
    expect(await merged(given)).toEqual(given.Proxy);
  }
});

it('has no say in services that are no proxies, and asks for gateways by their own name', () => {
  expect(serviceConfigRequest({ ...nodeService.zero(), Service: 'web' })).toBeUndefined();
  const gateway = { ...nodeService.zero(), Kind: 'mesh-gateway', Service: 'gate' };
  expect(serviceConfigRequest(gateway)).toMatchObject({ service: 'gate', upstreams: [] });
});

describe('of a proxy', () => {
  it('Config takes missing and zero keys of proxy-defaults, and the protocol of its service', async () => {
    await entry({ Kind: 'proxy-defaults', Config: { a: 1, b: 2, c: 3, d: 4, constructor: 5, protocol: 'tcp' } });
    expect((await merged(sidecar({ Config: { a: 'own', b: 0, c: '', d: '0' } }))).Config).toEqual({
      ...{ a: 'own', b: 2, c: 3, d: '0', protocol: 'tcp' },
      ...JSON.parse('{"constructor":5}'),
    });
    await entry({ Kind: 'service-defaults', Name: 'WEB', Protocol: 'http' });
    expect((await merged(sidecar())).Config).toMatchObject({ protocol: 'http' });
  });

  it('Mode, MeshGateway, TransparentProxy and Expose: the registration, else its service, else all proxies', async () => {
    const path = { ListenerPort: 1, Path: '/a' };
    await entry({
      Kind: 'proxy-defaults',
      Mode: 'direct',
      MeshGateway: { Mode: 'local' },
      TransparentProxy: { OutboundListenerPort: 1 },
      Expose: { Checks: true, Paths: [path] },
    });
    expect(await merged(sidecar())).toMatchObject({
      Mode: 'direct',
      MeshGateway: { Mode: 'local' },
      TransparentProxy: { OutboundListenerPort: 1, DialedDirectly: false },
      Expose: { Checks: true, Paths: [path] },
    });
    await entry({
      Kind: 'service-defaults',
      Name: 'web',
      Mode: 'transparent',
      MeshGateway: { Mode: 'remote' },
      TransparentProxy: { DialedDirectly: true },
      Expose: { Paths: [{ Path: '/b' }] },
    });
    const both = await merged(sidecar());
    expect(both).toMatchObject({
      Mode: 'transparent',
      MeshGateway: { Mode: 'remote' },
      TransparentProxy: { OutboundListenerPort: 1, DialedDirectly: true },
      Expose: { Checks: true, Paths: [{ Path: '/b' }] },
    });
    expect(both.Expose.Paths).toHaveLength(1);
    expect(await merged(sidecar({ Mode: 'direct', MeshGateway: { Mode: 'none' } }))).toMatchObject({
      Mode: 'direct',
      MeshGateway: { Mode: 'none' },
    });
  });

  it('a protocol of proxy-defaults that is no text is refused with its type', async () => {
    const cases: [unknown, string][] = [
      [7, 'float64'],
      [true, 'bool'],
      [['http'], '[]interface {}'],
      [{ a: 1 }, 'map[string]interface {}'],
      [null, '<nil>'],
    ];
    for (const [protocol, type] of cases) {
      await entry({ Kind: 'proxy-defaults', Config: { protocol } });
      await expect(merged(sidecar())).rejects.toThrow(`invalid protocol type ${type}`);
    }
  });
});

describe('of upstreams', () => {
  beforeEach(async () => {
    await entry({ Kind: 'proxy-defaults', Config: { protocol: 'tcp' } });
    await entry({ Kind: 'service-defaults', Name: 'db', Protocol: 'http2' });
    await entry({
      Kind: 'service-defaults',
      Name: 'web',
      UpstreamConfig: {
        Defaults: { ConnectTimeoutMs: 11, MeshGateway: { Mode: 'local' }, Limits: { MaxConnections: 0 } },
        Overrides: [
          { Name: 'db', ConnectTimeoutMs: 22, MeshGateway: { Mode: 'remote' } },
          { Name: 'cache', PassiveHealthCheck: { Interval: '2s', MaxFailures: 3 } },
        ],
      },
    });
  });

  it('settings of proxy-defaults, the upstream, the defaults of its user and the override for it, in this order', async () => {
    const { Upstreams } = await merged(sidecar({ Upstreams: [upstream('db'), upstream('cache'), upstream('log')] }));
    const limits = { MaxConnections: 0 };
    const passive_health_check = { Interval: 2_000_000_000, MaxFailures: 3 };
    expect(
      Upstreams!.map(({ DestinationName, Config, MeshGateway }) => [DestinationName, Config, MeshGateway]),
    ).toEqual([
      ['db', { protocol: 'http2', connect_timeout_ms: 22, limits }, { Mode: 'remote' }],
      ['cache', { protocol: 'tcp', connect_timeout_ms: 11, limits, passive_health_check }, { Mode: 'local' }],
      ['log', { protocol: 'tcp', connect_timeout_ms: 11, limits }, { Mode: 'local' }],
    ]);
  });

  it('what the declaration says holds, zeros too; the mode of the registration is nearer than the defaults', async () => {
    const own = { Config: { connect_timeout_ms: 0 }, MeshGateway: { Mode: 'none' } };
    const { Upstreams } = await merged(
      sidecar({ MeshGateway: { Mode: 'none' }, Upstreams: [upstream('db', own), upstream('log')] }),
    );
    expect(Upstreams).toMatchObject([
      { Config: { connect_timeout_ms: 0, protocol: 'http2' }, MeshGateway: { Mode: 'none' } },
      { MeshGateway: { Mode: 'none' } },
    ]);
  });

  it('prepared queries inherit nothing, although a service may have the same name', async () => {
    const query = upstream('db', { DestinationType: 'prepared_query' });
    expect((await merged(sidecar({ Upstreams: [query, upstream('db')] }))).Upstreams![0]).toEqual(query);
  });

  it('nobody gets upstreams that were not declared, but a transparent proxy all of them, the defaults last', async () => {
    expect((await merged(sidecar())).Upstreams).toBeNull();
    const { Upstreams } = await merged(sidecar({ Mode: 'transparent', Upstreams: [upstream('log')] }));
    expect(Upstreams!.map((each) => [each.DestinationName, each.DestinationType, each.CentrallyConfigured])).toEqual([
      ['log', 'service', false],
      ['cache', '', true],
      ['db', '', true],
      ['*', '', true],
    ]);
  });
});

it('a blocking read wakes for the entries of the service and its upstreams, and for no others', async () => {
  const request = serviceConfigRequest(sidecar({ Upstreams: [upstream('db')] }))!;
  await entry({ Kind: 'service-defaults', Name: 'other' });
  for (const Name of ['web', 'db']) {
    const { index } = await backend.query('configEntry.resolve', request, reading);
    let woken = false;
    const blocked = backend.query('configEntry.resolve', request, { ...reading, minIndex: index });
    void blocked.then(() => {
      woken = true;
    });
    await entry({ Kind: 'service-defaults', Name: 'other', Protocol: 'grpc' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(woken).toBe(false);
    await entry({ Kind: 'service-defaults', Name, Protocol: 'http' });
    expect((await blocked).index).toBeGreaterThan(index);
  }
});
