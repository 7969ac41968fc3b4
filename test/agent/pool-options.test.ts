// What of the configuration reaches the gossip pools: one row a key.
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/agent/config/index.ts';
import { LogHub } from '../../src/agent/log.ts';
import { Metrics } from '../../src/agent/metrics.ts';
import { lanPoolOptions, wanPoolOptions } from '../../src/agent/pool-options.ts';

const server = { data_dir: '/var/lib/x', node_name: 's1', server: true, bootstrap: true, bind_addr: '127.0.14.1' };

function pools(given: object, more: { dev?: boolean; anyPorts?: boolean } = {}) {
  const { dev = false, anyPorts = false } = more;
  const config = loadConfig({ dev, given: dev ? given : { ...server, ...given } });
  const hub = new LogHub({ level: 'error', json: false, output: () => undefined, nowMs: () => 0 });
  const input = {
    config,
    nodeId: '11111111-1111-1111-1111-111111111111',
    dataDir: '/var/lib/x',
    anyPorts,
    log: hub.logger('agent'),
    metrics: new Metrics({ prefix: 'x', prometheus: false, nowMs: () => 0 }),
    nodeMeta: () => ({}),
  };
  return { lan: lanPoolOptions(input, 8300, 8302), wan: wanPoolOptions(input, 8300) };
}

const hour = 3_600_000;

it.each<[string, object, object, object]>([
  [
    'nothing: the usual ports and times',
    {},
    { name: 's1', bindAddress: '127.0.14.1', bindPort: 8301, advertiseAddress: '127.0.14.1', rejoinAfterLeave: false },
    {
      name: 's1.dc1',
      bindAddress: '127.0.14.1',
      bindPort: 8302,
      advertiseAddress: '127.0.14.1',
      rejoinAfterLeave: false,
    },
  ],
  [
    'binds of their own',
    { serf_lan: '127.0.14.2', serf_wan: '127.0.14.3', ports: { serf_lan: 1, serf_wan: 2 } },
    { bindAddress: '127.0.14.2', bindPort: 1, advertiseAddress: '127.0.14.1' },
    { bindAddress: '127.0.14.3', bindPort: 2, advertiseAddress: '127.0.14.1' },
  ],
  [
    'advertise_addr counts for both',
    { advertise_addr: '127.0.14.4' },
    { bindAddress: '127.0.14.1', advertiseAddress: '127.0.14.4' },
    { bindAddress: '127.0.14.1', advertiseAddress: '127.0.14.4' },
  ],
  [
    'advertise_addr_wan for one',
    { advertise_addr_wan: '127.0.14.5' },
    { advertiseAddress: '127.0.14.1' },
    { advertiseAddress: '127.0.14.5' },
  ],
  [
    'times',
    { gossip_lan: { probe_interval: '2s' }, gossip_wan: { probe_interval: '7s', suspicion_mult: 9 } },
    { config: expect.objectContaining({ probeIntervalMs: 2_000, suspicionMult: 4 }) },
    { config: expect.objectContaining({ probeIntervalMs: 7_000, suspicionMult: 9, gossipNodes: 3 }) },
  ],
  [
    'no reconnect_timeout: three days',
    {},
    { config: expect.objectContaining({ reconnectTimeoutMs: 72 * hour, deadNodeReclaimMs: 30_000 }) },
    { config: expect.objectContaining({ reconnectTimeoutMs: 72 * hour }) },
  ],
  [
    'reconnect_timeout',
    { reconnect_timeout: '10h', reconnect_timeout_wan: '20h' },
    { config: expect.objectContaining({ reconnectTimeoutMs: 10 * hour }) },
    { config: expect.objectContaining({ reconnectTimeoutMs: 20 * hour }) },
  ],
  [
    'rejoin_after_leave, encrypt_verify_*, disable_keyring_file',
    {
      rejoin_after_leave: true,
      encrypt_verify_incoming: false,
      encrypt_verify_outgoing: false,
      disable_keyring_file: true,
    },
    { rejoinAfterLeave: true, encryptVerifyIncoming: false, encryptVerifyOutgoing: false, keyringFile: false },
    { rejoinAfterLeave: true, encryptVerifyIncoming: false, encryptVerifyOutgoing: false, keyringFile: false },
  ],
  [
    'joins and networks',
    {
      ...{ retry_join: ['a'], retry_interval: '1s', retry_max: 2, serf_lan_allowed_cidrs: ['10.0.0.0/8'] },
      ...{ start_join_wan: ['b'], retry_join_wan: ['c'], retry_interval_wan: '3s', retry_max_wan: 4 },
    },
    { startJoin: [], retryJoin: ['a'], retryIntervalMs: 1_000, retryMax: 2, allowedCidrs: ['10.0.0.0/8'] },
    { startJoin: ['b'], retryJoin: ['c'], retryIntervalMs: 3_000, retryMax: 4, allowedCidrs: [] },
  ],
])('%s', (_name, given, lan, wan) => {
  const found = pools(given);
  expect(found.lan).toMatchObject(lan);
  expect(found.wan).toMatchObject(wan);
});

it.each([-1, 0])('ports.serf_wan = %i: no WAN pool', (serf_wan) => {
  expect(pools({ ports: { serf_wan } }).wan).toBeUndefined();
  expect(pools({ ports: { serf_wan } }, { anyPorts: true }).wan).toBeUndefined();
});

it('ports are free ones where every port is, unless given', () => {
  const { lan, wan } = pools({ ports: { serf_lan: 5 } }, { anyPorts: true });
  expect([lan.bindPort, wan!.bindPort]).toEqual([5, 0]);
});

it('-dev: both pools on loopback, quick, and nothing kept', () => {
  const { lan, wan } = pools({}, { dev: true });
  for (const pool of [lan, wan!]) {
    expect(pool).toMatchObject({ bindAddress: '127.0.0.1', advertiseAddress: '127.0.0.1', keyringFile: false });
    expect(pool.config).toMatchObject({ gossipIntervalMs: 100, probeIntervalMs: 100, suspicionMult: 3 });
    expect(pool.folder).toBeUndefined();
  }
});

it('the tags of the WAN pool are those of the LAN pool, without where to join the WAN', () => {
  const { lan, wan } = pools({});
  const { wan_join_port, ...rest } = lan.tags;
  expect(wan_join_port).toBe('8302');
  expect(wan!.tags).toEqual(rest);
});

it('who is no server stays outside of the WAN pool', () => {
  const { lan, wan } = pools({});
  const versions = { protocolMin: 1, protocolMax: 5, protocolCur: 2 };
  const member = { name: 'm1.dc2', address: '10.0.0.1', port: 8302, status: 'alive' as const, ...versions };
  expect(wan!.admit({ ...member, tags: { ...lan.tags, dc: 'dc2' } })).toBeUndefined();
  expect(wan!.admit({ ...member, tags: { role: 'node', dc: 'dc2' } })).toBe("Member 'm1.dc2' is not a server");
});
