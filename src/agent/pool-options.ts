/** The gossip pool as the configuration wants it. */
import { join } from 'node:path';
import { millisecond } from '../std/duration.ts';
import { interfaceVersion } from '../version.ts';
import type { ClusterInput } from './cluster.ts';
import type { LanPoolOptions } from './membership/lan-pool.ts';

export function lanPoolOptions({ config, nodeId, dataDir, anyPorts }: ClusterInput, rpcPort: number): LanPoolOptions {
  const { settings, dev } = config;
  const { gossip_lan: timing } = settings;
  return {
    nodeName: config.nodeName,
    tags: {
      role: config.server ? 'server' : 'client',
      datacenter: config.datacenter,
      id: nodeId,
      build: interfaceVersion,
      aclsEnabled: config.aclsEnabled,
      rpcPort,
      bootstrap: config.bootstrap || (dev && config.server),
      bootstrapExpect: config.bootstrapExpect,
      usesTls: false,
      wanJoinPort: settings.ports.serf_wan > 0 ? settings.ports.serf_wan : undefined,
    },
    bindAddress: config.serfLanAddress,
    bindPort: anyPorts && !config.given.has('ports.serf_lan') ? 0 : settings.ports.serf_lan,
    advertiseAddress: config.advertiseAddress,
    profile: 'lan',
    config: {
      // What the field's agents speak over Serf: no relays.
      delegateProtocol: 4,
      gossipIntervalMs: timing.gossip_interval / millisecond,
      gossipNodes: timing.gossip_nodes,
      probeIntervalMs: timing.probe_interval / millisecond,
      probeTimeoutMs: timing.probe_timeout / millisecond,
      suspicionMult: timing.suspicion_mult,
      retransmitMult: timing.retransmit_mult,
    },
    ...(settings.encrypt === '' ? {} : { encryptKey: settings.encrypt }),
    keyringFile: !settings.disable_keyring_file,
    encryptVerifyIncoming: settings.encrypt_verify_incoming,
    encryptVerifyOutgoing: settings.encrypt_verify_outgoing,
    ...(dev ? {} : { folder: join(dataDir, 'serf') }),
    rejoinAfterLeave: settings.rejoin_after_leave,
    allowedCidrs: settings.serf_lan_allowed_cidrs,
    ...(settings.reconnect_timeout > 0 ? { reconnectTimeoutMs: settings.reconnect_timeout / millisecond } : {}),
    startJoin: settings.start_join,
    retryJoin: settings.retry_join,
    retryIntervalMs: settings.retry_interval / millisecond,
    retryMax: settings.retry_max,
  };
}
