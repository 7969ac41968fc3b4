/** The gossip pools as the configuration wants them. */
import { join } from 'node:path';
import type { GossipConfig } from '../gossip/index.ts';
import { hour, millisecond } from '../std/duration.ts';
import { interfaceVersion } from '../version.ts';
import type { ClusterInput } from './cluster.ts';
import { ConfigError } from './config/index.ts';
import type { AgentPoolOptions } from './membership/agent-pool.ts';
import { type AgentTags, admissionFault, encodeTags, wanAdmissionFault, wanName } from './membership/tags.ts';

/** How long a failed member is remembered unless the configuration says otherwise. */
const reconnectDefault = 72 * hour;

/** `wanJoinPort`: where the server's WAN pool listens; undefined without one. */
export function lanPoolOptions(
  input: ClusterInput,
  rpcPort: number,
  wanJoinPort: number | undefined,
): AgentPoolOptions {
  const { config, nodeId, anyPorts } = input;
  const { settings, datacenter } = config;
  const own = { name: config.nodeName, id: nodeId, datacenter };
  return {
    ...common(input),
    scope: 'LAN',
    name: config.nodeName,
    tags: encodeTags({ ...tagsOf(input, rpcPort), wanJoinPort }),
    admit: (member) => admissionFault(member, own),
    bindAddress: config.serfLanAddress,
    bindPort: anyPorts && !config.given.has('ports.serf_lan') ? 0 : settings.ports.serf_lan,
    advertiseAddress: config.advertiseAddress,
    profile: 'lan',
    config: timing(settings.gossip_lan, settings.reconnect_timeout),
    allowedCidrs: settings.serf_lan_allowed_cidrs,
    startJoin: settings.start_join,
    retryJoin: settings.retry_join,
    retryIntervalMs: settings.retry_interval / millisecond,
    retryMax: settings.retry_max,
  };
}

/** Undefined where the configuration wants no WAN pool. */
export function wanPoolOptions(input: ClusterInput, rpcPort: number): AgentPoolOptions | undefined {
  const { config, anyPorts } = input;
  const { settings, datacenter } = config;
  if (settings.ports.serf_wan <= 0) return undefined;
  return {
    ...common(input),
    scope: 'WAN',
    name: wanName(config.nodeName, datacenter),
    tags: encodeTags(tagsOf(input, rpcPort)),
    admit: wanAdmissionFault,
    bindAddress: config.serfWanAddress,
    bindPort: anyPorts && !config.given.has('ports.serf_wan') ? 0 : settings.ports.serf_wan,
    advertiseAddress: config.advertiseAddressWan,
    profile: 'wan',
    config: timing(settings.gossip_wan, settings.reconnect_timeout_wan),
    allowedCidrs: settings.serf_wan_allowed_cidrs,
    startJoin: settings.start_join_wan,
    retryJoin: settings.retry_join_wan,
    retryIntervalMs: settings.retry_interval_wan / millisecond,
    retryMax: settings.retry_max_wan,
  };
}

function common({ config, dataDir }: ClusterInput) {
  const { settings, dev } = config;
  return {
    datacenter: config.datacenter,
    ...(settings.encrypt === '' ? {} : { encryptKey: settings.encrypt }),
    keyringFile: !settings.disable_keyring_file,
    encryptVerifyIncoming: settings.encrypt_verify_incoming,
    encryptVerifyOutgoing: settings.encrypt_verify_outgoing,
    ...(dev ? {} : { folder: join(dataDir, 'serf') }),
    rejoinAfterLeave: settings.rejoin_after_leave,
  };
}

function tagsOf({ config, nodeId }: ClusterInput, rpcPort: number): AgentTags {
  return {
    role: config.server ? 'server' : 'client',
    datacenter: config.datacenter,
    id: nodeId,
    build: interfaceVersion,
    aclsEnabled: config.aclsEnabled,
    rpcPort,
    bootstrap: config.bootstrap || (config.dev && config.server),
    bootstrapExpect: config.bootstrapExpect,
    usesTls: false,
  };
}

type Timing = ClusterInput['config']['settings']['gossip_lan'];

/** `reconnectTimeout` in nanoseconds; 0: the default. */
function timing(given: Timing, reconnectTimeout: number): Partial<GossipConfig> {
  return {
    // What the field's agents speak over Serf.
    delegateProtocol: 4,
    gossipIntervalMs: given.gossip_interval / millisecond,
    gossipNodes: given.gossip_nodes,
    probeIntervalMs: given.probe_interval / millisecond,
    probeTimeoutMs: given.probe_timeout / millisecond,
    suspicionMult: given.suspicion_mult,
    retransmitMult: given.retransmit_mult,
    deadNodeReclaimMs: 30_000,
    queueDepthMin: 4_096,
    reconnectTimeoutMs: (reconnectTimeout > 0 ? reconnectTimeout : reconnectDefault) / millisecond,
  };
}

/** One configuration serves servers and clients: what would be tried again and again is told, a join that must succeed is refused. */
export function refuseWanJoin({ config, log }: ClusterInput, reason: string): void {
  const { start_join_wan: once, retry_join_wan: again } = config.settings;
  if (once.length > 0) throw new ConfigError(reason);
  if (again.length > 0) log.warn('retry_join_wan is of no use here', { reason });
}
