/** Every setting under the name that `/v1/agent/self` gives it. Durations are texts, addresses have schemes, secrets hide. */
import { formatDuration } from '../std/duration.ts';
import { interfaceVersion } from '../version.ts';
import type { AgentConfig } from './config/index.ts';
import { checks, doors, logging, mesh, security } from './debug-config-parts.ts';

const hidden = 'hidden';
const d = formatDuration;
const shown = (port: number): number => (port <= 0 ? -1 : port);

export function debugConfig(config: AgentConfig, nodeId: string, dataDir: string): Record<string, unknown> {
  return {
    ...accessControl(config, dataDir),
    ...identity(config, nodeId, dataDir),
    ...timing(config),
    ...doors(config),
    ...mesh(config),
    ...checks(config),
    ...logging(config),
    ...security(config),
    ...cluster(config),
  };
}

function accessControl(c: AgentConfig, dataDir: string): Record<string, unknown> {
  const { acl } = c.settings;
  return {
    ACLDatacenter: c.primaryDatacenter,
    ACLDefaultPolicy: c.defaultPolicy,
    ACLDisabledTTL: d(acl.disabled_ttl),
    ACLDownPolicy: c.settings.acl_down_policy || acl.down_policy,
    ACLEnableKeyListPolicy: c.settings.acl_enable_key_list_policy ?? acl.enable_key_list_policy,
    ACLMasterToken: hidden,
    ACLPolicyTTL: d(acl.policy_ttl),
    ACLRoleTTL: d(acl.role_ttl),
    ACLTokenReplication: c.settings.enable_acl_replication ?? acl.enable_token_replication,
    ACLTokenTTL: d(acl.token_ttl),
    ACLTokens: {
      ACLAgentMasterToken: hidden,
      ACLAgentToken: hidden,
      ACLDefaultToken: hidden,
      ACLReplicationToken: hidden,
      DataDir: dataDir,
      EnablePersistence: acl.enable_token_persistence,
      EnterpriseConfig: {},
    },
    ACLsEnabled: c.aclsEnabled,
  };
}

function identity(c: AgentConfig, nodeId: string, dataDir: string): Record<string, unknown> {
  const { settings: s } = c;
  return {
    AdvertiseAddrLAN: c.advertiseAddress,
    AdvertiseAddrWAN: c.advertiseAddressWan,
    AdvertiseReconnectTimeout: d(s.advertise_reconnect_timeout),
    BindAddr: c.bindAddress,
    Bootstrap: c.bootstrap,
    BootstrapExpect: c.bootstrapExpect,
    ClientAddrs: c.clientAddresses,
    DataDir: dataDir,
    Datacenter: c.datacenter,
    DevMode: c.dev,
    DisableAnonymousSignature: s.disable_anonymous_signature,
    DisableCoordinates: s.disable_coordinates,
    DisableHostNodeID: s.disable_host_node_id,
    DisableKeyringFile: s.disable_keyring_file,
    DisableRemoteExec: s.disable_remote_exec,
    DisableUpdateCheck: s.disable_update_check,
    EnableDebug: s.enable_debug,
    EnterpriseRuntimeConfig: {},
    LeaveOnTerm: c.leaveOnTerminate,
    NodeID: nodeId,
    NodeMeta: s.node_meta,
    NodeName: c.nodeName,
    PidFile: s.pid_file,
    PrimaryDatacenter: c.primaryDatacenter,
    PrimaryGateways: s.primary_gateways,
    PrimaryGatewaysInterval: d(s.primary_gateways_interval),
    ReadReplica: s.read_replica ?? s.non_voting_server ?? false,
    RejoinAfterLeave: s.rejoin_after_leave,
    Revision: '',
    ServerMode: c.server,
    ServerName: s.server_name,
    ServerPort: s.ports.server,
    SkipLeaveOnInt: c.skipLeaveOnInterrupt,
    TaggedAddresses: c.taggedAddresses,
    TranslateWANAddrs: s.translate_wan_addrs,
    Version: interfaceVersion,
    VersionPrerelease: '',
    Watches: s.watches,
  };
}

function timing(c: AgentConfig): Record<string, unknown> {
  const { settings: s } = c;
  const { consul } = s;
  const times = (ns: number): string => d(ns * s.performance.raft_multiplier);
  const gossip = (prefix: string, pool: typeof s.gossip_lan): Record<string, unknown> => ({
    [`${prefix}GossipInterval`]: d(pool.gossip_interval),
    [`${prefix}GossipNodes`]: pool.gossip_nodes,
    [`${prefix}ProbeInterval`]: d(pool.probe_interval),
    [`${prefix}ProbeTimeout`]: d(pool.probe_timeout),
    [`${prefix}RetransmitMult`]: pool.retransmit_mult,
    [`${prefix}SuspicionMult`]: pool.suspicion_mult,
  });
  return {
    AEInterval: d(s.ae_interval),
    Cache: {
      EntryFetchMaxBurst: s.cache.entry_fetch_max_burst,
      EntryFetchRate: s.cache.entry_fetch_rate,
      Logger: null,
    },
    ConsulCoordinateUpdateBatchSize: consul.coordinate.update_batch_size ?? 128,
    ConsulCoordinateUpdateMaxBatches: consul.coordinate.update_max_batches ?? 5,
    ConsulCoordinateUpdatePeriod: d(consul.coordinate.update_period),
    ConsulRaftElectionTimeout: times(consul.raft.election_timeout),
    ConsulRaftHeartbeatTimeout: times(consul.raft.heartbeat_timeout),
    ConsulRaftLeaderLeaseTimeout: times(consul.raft.leader_lease_timeout),
    ConsulServerHealthInterval: d(consul.server.health_interval),
    DefaultQueryTime: d(s.default_query_time),
    DiscoveryMaxStale: d(s.discovery_max_stale),
    ...gossip('GossipLAN', s.gossip_lan),
    ...gossip('GossipWAN', s.gossip_wan),
    LeaveDrainTime: d(s.performance.leave_drain_time),
    MaxQueryTime: d(s.max_query_time),
    RaftProtocol: s.raft_protocol,
    RaftSnapshotInterval: d(s.raft_snapshot_interval),
    RaftSnapshotThreshold: s.raft_snapshot_threshold,
    RaftTrailingLogs: s.raft_trailing_logs,
    ReconnectTimeoutLAN: d(s.reconnect_timeout),
    ReconnectTimeoutWAN: d(s.reconnect_timeout_wan),
    SessionTTLMin: d(s.session_ttl_min),
    SyncCoordinateIntervalMin: d(s.sync_coordinate_interval_min),
    SyncCoordinateRateTarget: s.sync_coordinate_rate_target,
  };
}

function cluster(c: AgentConfig): Record<string, unknown> {
  const { settings: s } = c;
  const { ports, autopilot, limits } = s;
  const advertise = (port: number, address = c.advertiseAddress): string => `tcp://${address}:${port}`;
  return {
    AutopilotCleanupDeadServers: autopilot.cleanup_dead_servers,
    AutopilotDisableUpgradeMigration: autopilot.disable_upgrade_migration,
    AutopilotLastContactThreshold: d(autopilot.last_contact_threshold),
    AutopilotMaxTrailingLogs: autopilot.max_trailing_logs,
    AutopilotMinQuorum: autopilot.min_quorum,
    AutopilotRedundancyZoneTag: autopilot.redundancy_zone_tag,
    AutopilotServerStabilizationTime: d(autopilot.server_stabilization_time),
    AutopilotUpgradeVersionTag: autopilot.upgrade_version_tag,
    RPCAdvertiseAddr: advertise(ports.server),
    RPCBindAddr: advertise(ports.server, c.bindAddress),
    RPCConfig: { EnableStreaming: s.rpc.enable_streaming ?? c.server },
    RPCHandshakeTimeout: d(limits.rpc_handshake_timeout),
    RPCHoldTimeout: d(s.performance.rpc_hold_timeout),
    RPCMaxBurst: limits.rpc_max_burst,
    RPCMaxConnsPerClient: limits.rpc_max_conns_per_client,
    RPCProtocol: s.protocol,
    RPCRateLimit: limits.rpc_rate,
    RetryJoinIntervalLAN: d(s.retry_interval),
    RetryJoinIntervalWAN: d(s.retry_interval_wan),
    RetryJoinLAN: s.retry_join,
    RetryJoinMaxAttemptsLAN: s.retry_max,
    RetryJoinMaxAttemptsWAN: s.retry_max_wan,
    RetryJoinWAN: s.retry_join_wan,
    SegmentLimit: s.segment_limit,
    SegmentName: '',
    SegmentNameLimit: s.segment_name_limit,
    Segments: [],
    SerfAdvertiseAddrLAN: advertise(ports.serf_lan),
    SerfAdvertiseAddrWAN: advertise(ports.serf_wan, c.advertiseAddressWan),
    SerfAllowedCIDRsLAN: s.serf_lan_allowed_cidrs,
    SerfAllowedCIDRsWAN: s.serf_wan_allowed_cidrs,
    SerfBindAddrLAN: advertise(ports.serf_lan, c.serfLanAddress),
    SerfBindAddrWAN: advertise(ports.serf_wan, c.serfWanAddress),
    SerfPortLAN: shown(ports.serf_lan),
    SerfPortWAN: shown(ports.serf_wan),
    StartJoinAddrsLAN: s.start_join,
    StartJoinAddrsWAN: s.start_join_wan,
  };
}
