/** The small parts alone: choosing an instance, waiting, reading names, options, flags and counters. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEndpoints, decodeLeaf, decodeRegistration, decodeRoots } from '../../src/proxy/agent-records.ts';
import { authorizeBy, decodeMatch } from '../../src/proxy/authorize.ts';
import { backoffMs } from '../../src/proxy/backoff.ts';
import { Balancer } from '../../src/proxy/balancer.ts';
import { metricValues, newCounters, sourceCounters } from '../../src/proxy/counters.ts';
import { createLogger } from '../../src/proxy/log.ts';
import { readProxyOptions, readUpstreamOptions } from '../../src/proxy/options.ts';
import { alternativeNames } from '../../src/proxy/peer-identity.ts';
import type { Endpoint } from '../../src/proxy/snapshot.ts';
import { parseHostPort, parseUpstreamFlag, staticConfig } from '../../src/proxy/static-config.ts';
import { Sweeper, sweepMs } from '../../src/proxy/sweeper.ts';
import { seededRandom } from '../../src/std/random.ts';
import { ManualClock } from './support/manual-clock.ts';

const endpoint = (id: string, weight = 1): Endpoint => ({
  id,
  address: '127.0.0.1',
  port: 1,
  weight,
  service: 'db',
  datacenter: 'dc1',
});

describe('balancer', () => {
  const balancer = (...endpoints: Endpoint[]) => {
    const clock = new ManualClock();
    const made = new Balancer(clock, seededRandom('balancer').next);
    made.setEndpoints(endpoints);
    return { clock, made };
  };

  it('spreads open connections evenly, and by weight', () => {
    const { made } = balancer(endpoint('a'), endpoint('b'), endpoint('c', 2));
    const open: Record<string, number> = { a: 0, b: 0, c: 0 };
    for (let i = 0; i < 400; i++) {
      const pick = made.pick(new Set());
      open[pick!.endpoint.id]! += 1;
    }
    expect(open.a).toBeGreaterThan(90);
    expect(open.b).toBeGreaterThan(90);
    expect(open.c).toBeGreaterThan(190);
  });

  it('prefers the one with fewer open connections', () => {
    const { made } = balancer(endpoint('a'), endpoint('b'));
    const first = made.pick(new Set());
    const second = made.pick(new Set());
    expect(second?.endpoint.id).not.toBe(first?.endpoint.id);
    first?.release();
    first?.release(); // twice is once
    expect(made.pick(new Set())?.endpoint.id).toBe(first?.endpoint.id);
  });

  it('passes over one that failed, for a while, and never gives one that was tried', () => {
    const { made, clock } = balancer(endpoint('a'), endpoint('b'));
    const failed = made.pick(new Set(['b']));
    failed?.failed();
    failed?.release();
    for (let i = 0; i < 10; i++) {
      const pick = made.pick(new Set());
      expect(pick?.endpoint.id).toBe('b');
      pick?.release();
    }
    expect(made.pick(new Set(['b']))?.endpoint.id).toBe('a'); // all that is left is tried all the same
    expect(made.pick(new Set(['a', 'b']))).toBe(null);
    clock.advance(1_000);
    const seen = new Set(Array.from({ length: 20 }, () => made.pick(new Set())?.endpoint.id));
    expect(seen).toEqual(new Set(['a', 'b']));
  });

  it('keeps the count of instances that stay in the list', () => {
    const { made } = balancer(endpoint('a'));
    made.pick(new Set());
    made.setEndpoints([endpoint('a'), endpoint('b')]);
    expect(made.pick(new Set())?.endpoint.id).toBe('b');
    made.setEndpoints([]);
    expect(made.pick(new Set())).toBe(null);
  });
});

it('backoff doubles up to its limit and draws from the upper half', () => {
  const options = { baseMs: 100, maxMs: 1_000 };
  expect([1, 2, 3, 4, 5, 60].map((n) => backoffMs(n, options, () => 0))).toEqual([50, 100, 200, 400, 500, 500]);
  expect(backoffMs(60, options, () => 0.999)).toBeLessThanOrEqual(1_000);
});

describe('alternative names', () => {
  const rows = [
    { text: '', names: [] },
    { text: 'URI:spiffe://a.consul/x', names: [['URI', 'spiffe://a.consul/x']] },
    {
      text: 'URI:spiffe://a, DNS:b',
      names: [
        ['URI', 'spiffe://a'],
        ['DNS', 'b'],
      ],
    },
    { text: 'DNS:"a, URI:spiffe://forged"', names: [['DNS', 'a, URI:spiffe://forged']] },
    { text: 'DNS:"a\\", URI:spiffe://forged"', names: [['DNS', 'a", URI:spiffe://forged']] },
    { text: 'IP Address:127.0.0.1', names: [['IP Address', '127.0.0.1']] },
    { text: 'URI:"unterminated', names: [] },
    { text: 'nonsense', names: [] },
  ];
  it.each(rows)('$text', ({ text, names }) => {
    expect(alternativeNames(text).map(({ type, value }) => [type, value])).toEqual(names);
  });
  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => Array.isArray(alternativeNames(text))));
  });
});

describe('options', () => {
  it('have defaults, take numbers and old text, and name what is wrong', () => {
    expect(readProxyOptions({})).toEqual({
      ok: true,
      value: {
        localConnectTimeoutMs: 1_000,
        handshakeTimeoutMs: 10_000,
        idleTimeoutMs: 0,
        inboundConnectionsMax: 0,
        tlsMinVersion: 'TLSv1.2',
      },
    });
    expect(readProxyOptions({ handshake_timeout_ms: '5000', tls_min_version: 'TLSv1_3' })).toMatchObject({
      value: { handshakeTimeoutMs: 5_000, tlsMinVersion: 'TLSv1.3' },
    });
    expect(readProxyOptions({ handshake_timeout_ms: 0, idle_timeout_ms: 'soon', tls_min_version: 'SSLv3' })).toEqual({
      ok: false,
      error:
        'handshake_timeout_ms must be a whole number of ms from 1 to 86400000; idle_timeout_ms must be a whole number of ms from 0 to 2592000000; tls_min_version must be TLSv1_2 or TLSv1_3',
    });
    expect(readUpstreamOptions({ connect_timeout_ms: 100, limits: { max_connections: 3 } })).toEqual({
      ok: true,
      value: { connectTimeoutMs: 100, connectionsMax: 3 },
    });
    // As central configuration hands it on.
    expect(readUpstreamOptions({ limits: { MaxConnections: 2 } })).toMatchObject({ value: { connectionsMax: 2 } });
  });
});

describe('flags', () => {
  const rows = [
    { text: 'db:9191', value: { name: 'db', type: 'service', address: '', port: 9191 } },
    { text: 'db:127.0.0.2:9191', value: { name: 'db', type: 'service', address: '127.0.0.2', port: 9191 } },
    { text: 'db:[::1]:9191', value: { name: 'db', type: 'service', address: '::1', port: 9191 } },
    { text: 'a.b.service:0x10', value: { name: 'a.b', type: 'service', address: '', port: 16 } },
    { text: 'q.query:9192', value: { name: 'q', type: 'query', address: '', port: 9192 } },
    { text: 'nope', error: 'Upstream value should be name:addr in "nope"' },
    { text: 'db.what:1', error: `Upstream type must be blank, 'service', or 'query'. Got: "what"` },
    { text: 'db:high', error: '"high" is not a port from 1 to 65535' },
    { text: 'db:70000', error: '"70000" is not a port from 1 to 65535' },
    { text: ':1', error: 'Upstream value should be name:addr in ":1"' },
  ];
  it.each(rows)('-upstream $text', ({ text, value, error }) => {
    expect(parseUpstreamFlag(text)).toEqual(value === undefined ? { ok: false, error } : { ok: true, value });
  });

  it('make a configuration; prepared queries are named as refused', () => {
    const upstreams = ['db:9191', 'q.query:9192'].flatMap((text) => {
      const parsed = parseUpstreamFlag(text);
      return parsed.ok ? [parsed.value] : [];
    });
    const made = staticConfig({ service: 'web', listen: ':8443', serviceAddress: '127.0.0.1:8080', upstreams });
    expect(made).toMatchObject({
      ok: true,
      value: {
        config: {
          service: 'web',
          publicListener: { kind: 'tcp', address: '0.0.0.0', port: 8443 },
          application: { kind: 'tcp', address: '127.0.0.1', port: 8080 },
          upstreams: [{ destinationName: 'db', listen: { kind: 'tcp', address: '127.0.0.1', port: 9191 } }],
        },
        refused: [{ upstream: 'q' }],
      },
    });
    expect(staticConfig({ service: 'web', listen: 'x', serviceAddress: '', upstreams: [] }).ok).toBe(false);
    expect(parseHostPort('127.0.0.1').ok).toBe(false);
  });
});

describe('decoders', () => {
  const decoders = { decodeRegistration, decodeRoots, decodeLeaf, decodeEndpoints };
  it.each(Object.entries(decoders))('%s takes any JSON: a value or an Error with a text, nothing else', (_, decode) => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        try {
          decode(json);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(error).not.toBeInstanceOf(TypeError);
        }
      }),
    );
  });

  it('listens where it is registered, else where its agent is', () => {
    const at = (address: Record<string, unknown>, bindAddress?: string): unknown => {
      const registration = {
        ...{ Kind: 'connect-proxy', Port: 21000, Address: '' },
        ...{ ...address, Proxy: { DestinationServiceName: 'api', LocalServicePort: 80, Config: address.Config ?? {} } },
      };
      return decodeRegistration(registration, bindAddress).config.publicListener;
    };
    expect(at({}, '10.0.0.7')).toMatchObject({ address: '10.0.0.7' });
    expect(at({ Address: '10.0.0.8' }, '10.0.0.7')).toMatchObject({ address: '10.0.0.8' });
    expect(at({ Address: '10.0.0.8', Config: { bind_address: '10.0.0.9' } }, '10.0.0.7')).toMatchObject({
      address: '10.0.0.9',
    });
    expect(at({})).toMatchObject({ address: '0.0.0.0' });
  });

  it('reads a sidecar as the agent prints it', () => {
    const { config, problems } = decodeRegistration({
      Kind: 'connect-proxy',
      ID: 'api-1-sidecar-proxy',
      Address: '127.0.4.9',
      Port: 22000,
      Proxy: {
        DestinationServiceName: 'api',
        LocalServiceAddress: '127.0.4.9',
        LocalServicePort: 9090,
        Config: { local_connect_timeout_ms: 111, protocol: 'http' },
        Upstreams: [
          { DestinationType: 'service', DestinationName: 'db', LocalBindPort: 9191, MeshGateway: {} },
          { DestinationName: 'far', Datacenter: 'dc2', LocalBindAddress: '127.0.0.2', LocalBindPort: 9192 },
          { DestinationName: 'sock', LocalBindSocketPath: '/tmp/x.sock', LocalBindSocketMode: '0660' },
          { DestinationName: 'nowhere' },
        ],
      },
    });
    expect(config.publicListener).toEqual({ kind: 'tcp', address: '127.0.4.9', port: 22000 });
    expect(config.application).toEqual({ kind: 'tcp', address: '127.0.4.9', port: 9090 });
    expect(config.options.localConnectTimeoutMs).toBe(111);
    expect(config.upstreams.map(({ key, listen }) => ({ key, listen }))).toEqual([
      { key: 'service/db', listen: { kind: 'tcp', address: '127.0.0.1', port: 9191 } },
      { key: 'service/far@dc2', listen: { kind: 'tcp', address: '127.0.0.2', port: 9192 } },
      { key: 'service/sock', listen: { kind: 'unix', path: '/tmp/x.sock', mode: 0o660 } },
    ]);
    expect(problems).toEqual([
      { what: 'upstream nowhere', reason: "upstream has no local_bind_port. Can't start upstream." },
    ]);
  });

  it('in transparent mode serves what is declared, and says once that it does no more', () => {
    const { config, problems } = decodeRegistration({
      Kind: 'connect-proxy',
      Port: 22000,
      Proxy: {
        DestinationServiceName: 'api',
        LocalServicePort: 9090,
        Mode: 'transparent',
        Upstreams: [
          { DestinationType: 'service', DestinationName: 'db', LocalBindPort: 9191 },
          { DestinationName: 'typeless', LocalBindPort: 9192 },
          { DestinationNamespace: 'default', DestinationName: 'cache', Config: { protocol: 'grpc' } },
          { DestinationNamespace: 'default', DestinationName: '*' },
        ],
      },
    });
    expect(config.upstreams.map(({ destinationName }) => destinationName)).toEqual(['db', 'typeless']);
    expect(problems.map(({ what }) => what)).toEqual(['Proxy.Mode']);
  });

  it.each([0, -1, 1.5, 65_536, 99_999_999, 'x', null])('takes no port of %j', (port) => {
    const proxy = {
      DestinationServiceName: 'api',
      LocalServicePort: port,
      Upstreams: [{ DestinationName: 'db', LocalBindPort: port }],
    };
    const sidecar = { Kind: 'connect-proxy', ID: 'p', Port: port, Proxy: proxy };
    expect(decodeRegistration(sidecar).config).toMatchObject({
      publicListener: null,
      application: null,
      upstreams: [],
    });
    expect(decodeEndpoints([{ Node: { Node: 'n', Address: '10.0.0.1' }, Service: sidecar }])).toEqual([]);
    const { problems } = decodeRegistration({ ...sidecar, Port: 1 });
    expect(problems.map(({ what }) => what)).toEqual(['upstream db', 'public listener']);
  });

  it('leaves out instances that cannot be dialled or have no identity', () => {
    const node = { Node: 'n', Address: '10.0.0.1', Datacenter: 'dc1' };
    const proxy = { Kind: 'connect-proxy', ID: 'p', Port: 1, Proxy: { DestinationServiceName: 'db' } };
    const list = decodeEndpoints([
      { Node: node, Service: proxy },
      { Node: node, Service: { ...proxy, ID: 'native', Kind: '', Service: 'db', Connect: { Native: true } } },
      { Node: node, Service: { ...proxy, Port: 0 } },
      { Node: node, Service: { ID: 'plain', Service: 'db', Port: 1 } },
    ]);
    expect(list.map(({ id, address, service }) => [id, address, service])).toEqual([
      ['n/p', '10.0.0.1', 'db'],
      ['n/native', '10.0.0.1', 'db'],
    ]);
  });
});

describe('decisions', () => {
  const own = {
    kind: 'service',
    trustDomain: 'T.consul',
    namespace: 'default',
    datacenter: 'dc1',
    service: 'db',
  } as const;
  const web = { ...own, trustDomain: 't.CONSUL', service: 'web' };
  it('hold the default only where the agent says allow', () => {
    for (const [policy, allowed] of [
      ['allow', true],
      ['deny', false],
      ['', false],
      [undefined, false],
    ] as const) {
      expect(authorizeBy(decodeMatch({ db: [] }, { 'x-consul-default-acl-policy': policy }), own)(web).allowed).toBe(
        allowed,
      );
    }
  });
  it('take the most exact intention first, and layer-7 permissions as a refusal', () => {
    const rule = (SourceName: string, Action: string) => ({ SourceName, DestinationName: 'db', Action });
    const by = (...rules: object[]) =>
      authorizeBy(decodeMatch({ db: rules }, { 'x-consul-default-acl-policy': 'allow' }), own)(web).allowed;
    expect(by(rule('*', 'deny'))).toBe(false);
    expect(by(rule('*', 'deny'), rule('web', 'allow'))).toBe(true);
    expect(by({ ...rule('web', ''), Permissions: [{ Action: 'allow', HTTP: { PathPrefix: '/' } }] })).toBe(false);
  });
  it('never let a host in', () => {
    const agent = { kind: 'agent', trustDomain: 't.consul', datacenter: 'dc1', node: 'n' } as const;
    expect(authorizeBy(decodeMatch({}, { 'x-consul-default-acl-policy': 'allow' }), own)(agent).allowed).toBe(false);
  });
});

describe('sweeper', () => {
  it('closes what carried nothing for the idle time, and only that', () => {
    const clock = new ManualClock();
    const sweeper = new Sweeper(clock);
    const closed: string[] = [];
    const watch = (name: string, bytes: () => number, idleMs: number) =>
      sweeper.watch({
        progress: () => {},
        totalBytes: bytes,
        idleTimeoutMs: () => idleMs,
        close: () => closed.push(name),
      });
    let busy = 0;
    watch('busy', () => busy++, 3_000);
    watch('quiet', () => 5, 3_000);
    watch('unlimited', () => 5, 0);
    const unwatch = watch('gone', () => 5, 3_000);
    clock.advance(3 * sweepMs);
    expect(closed).toEqual([]);
    unwatch();
    clock.advance(sweepMs);
    expect(closed).toEqual(['quiet']);
  });
});

it('a peer cannot make the counters grow without end', () => {
  const { inbound } = newCounters();
  for (let i = 0; i < 5_000; i++) sourceCounters(inbound, `source-${i}`).refused += 1;
  expect(inbound.sources.size).toBeLessThanOrEqual(1_001);
  expect(inbound.sources.get('other')?.refused).toBe(4_000);
});

it('every counter has a name, and each name always the same labels', () => {
  const counters = newCounters();
  Object.assign(sourceCounters(counters.inbound, 'web'), {
    connections: 1,
    bytesSent: 2,
    bytesReceived: 3,
    refused: 4,
  });
  counters.inbound.refused.denied = 4;
  const traffic = { connections: 5, active: 0, bytesSent: 6, bytesReceived: 7, retries: 8, failed: { dial_failed: 9 } };
  counters.upstreams.set('db', traffic);
  const shown = metricValues(counters).map(({ name, labels, value }) => [
    name,
    ...Object.entries(labels).flat(),
    value,
  ]);
  expect(shown).toEqual([
    ['proxy.inbound.connections', 'source', 'web', 1],
    ['proxy.inbound.bytes_received', 'source', 'web', 2],
    ['proxy.inbound.bytes_sent', 'source', 'web', 3],
    ['proxy.inbound.denied', 'source', 'web', 4],
    ['proxy.inbound.refused', 'refusal', 'denied', 4],
    ['proxy.upstream.connections', 'upstream', 'db', 5],
    ['proxy.upstream.bytes_sent', 'upstream', 'db', 6],
    ['proxy.upstream.bytes_received', 'upstream', 'db', 7],
    ['proxy.upstream.retries', 'upstream', 'db', 8],
    ['proxy.upstream.failed', 'upstream', 'db', 'failure', 'dial_failed', 9],
  ]);
});

describe('log', () => {
  const line = (fields: Record<string, unknown>, json = false): string => {
    let text = '';
    const write = (part: string): void => {
      text += part;
    };
    createLogger({ name: 'proxy', level: 'info', json, write, nowMs: () => 0 })
      .with({ a: 1 })
      .info('said', fields);
    return text;
  };
  it('stays on one line whatever the fields hold', () => {
    expect(line({ b: 'x y', c: 'plain' })).toBe('1970-01-01T00:00:00.000Z [INFO]  proxy: said: a=1 b="x y" c=plain\n');
    fc.assert(fc.property(fc.string(), (value) => line({ value }).split('\n').length === 2));
  });
  it('prints JSON when asked', () => {
    expect(JSON.parse(line({ b: 'x' }, true))).toMatchObject({ '@level': 'info', '@message': 'said', a: 1, b: 'x' });
  });
});
