/** Every setting under the name that `/v1/agent/self` gives it. Durations are texts, addresses have schemes, secrets hide. */
import { formatDuration } from '../std/duration.ts';
import { interfaceVersion } from '../version.ts';
import type { AgentConfig, Listen } from './config/index.ts';

const hidden = 'hidden';
const d = formatDuration;
const url = (scheme: string, listen: Listen): string =>
  listen.kind === 'unix' ? `unix://${listen.path}` : `${scheme}://${listen.address}:${listen.port}`;
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

function doors(c: AgentConfig): Record<string, unknown> {
  const { settings: s } = c;
  const { dns_config: dns, limits, ui_config: ui, ports } = s;
  return {
    AllowWriteHTTPFrom: s.http_config.allow_write_http_from,
    DNSARecordLimit: dns.a_record_limit,
    DNSAddrs: [...c.dns.map((l) => url('tcp', l)), ...c.dns.map((l) => url('udp', l))],
    DNSAllowStale: dns.allow_stale,
    DNSAltDomain: s.alt_domain,
    DNSCacheMaxAge: d(dns.cache_max_age),
    DNSDisableCompression: dns.disable_compression,
    DNSDomain: s.domain,
    DNSEnableTruncate: dns.enable_truncate,
    DNSMaxStale: d(dns.max_stale),
    DNSNodeMetaTXT: dns.enable_additional_node_meta_txt,
    DNSNodeTTL: d(dns.node_ttl),
    DNSOnlyPassing: dns.only_passing,
    DNSPort: shown(ports.dns),
    DNSRecursorTimeout: d(dns.recursor_timeout),
    DNSRecursors: c.recursors,
    DNSSOA: { Expire: dns.soa.expire, Minttl: dns.soa.min_ttl, Refresh: dns.soa.refresh, Retry: dns.soa.retry },
    DNSServiceTTL: dns.service_ttl,
    DNSUDPAnswerLimit: dns.udp_answer_limit,
    DNSUseCache: dns.use_cache,
    DisableHTTPUnprintableCharFilter: s.disable_http_unprintable_char_filter,
    GRPCAddrs: c.grpc.map((l) => url('tcp', l)),
    GRPCPort: shown(ports.grpc),
    HTTPAddrs: c.http.map((l) => url('tcp', l)),
    HTTPBlockEndpoints: s.http_config.block_endpoints,
    HTTPMaxConnsPerClient: limits.http_max_conns_per_client,
    HTTPMaxHeaderBytes: s.http_config.max_header_bytes,
    HTTPPort: shown(ports.http),
    HTTPResponseHeaders: s.http_config.response_headers,
    HTTPSAddrs: c.https.map((l) => url('tcp', l)),
    HTTPSHandshakeTimeout: d(limits.https_handshake_timeout),
    HTTPSPort: shown(ports.https),
    HTTPUseCache: s.http_config.use_cache,
    KVMaxValueSize: limits.kv_max_value_size,
    TxnMaxReqLen: limits.txn_max_req_len,
    UIConfig: {
      ContentPath: c.uiContentPath,
      DashboardURLTemplates: ui.dashboard_url_templates,
      Dir: s.ui_dir || ui.dir,
      Enabled: s.ui ?? ui.enabled,
      MetricsProvider: ui.metrics_provider,
      MetricsProviderFiles: ui.metrics_provider_files,
      MetricsProviderOptionsJSON: ui.metrics_provider_options_json,
      MetricsProxy: {
        AddHeaders: [],
        BaseURL: ui.metrics_proxy.base_url,
        PathAllowlist: ui.metrics_proxy.path_allowlist,
      },
    },
    UnixSocketGroup: s.unix_sockets.group,
    UnixSocketMode: s.unix_sockets.mode,
    UnixSocketUser: s.unix_sockets.user,
    UseStreamingBackend: s.use_streaming_backend,
  };
}

function mesh(c: AgentConfig): Record<string, unknown> {
  const { settings: s } = c;
  return {
    ConfigEntryBootstrap: s.config_entries.bootstrap,
    ConnectCAConfig: Object.fromEntries(
      Object.entries(s.connect.ca_config).map(([key, value]) => [key, /key|token/i.test(key) ? hidden : value]),
    ),
    ConnectCAProvider: s.connect.ca_provider === 'consul' ? '' : s.connect.ca_provider,
    ConnectEnabled: c.connectEnabled,
    ConnectMeshGatewayWANFederationEnabled: s.connect.enable_mesh_gateway_wan_federation,
    ConnectSidecarMaxPort: s.ports.sidecar_max_port,
    ConnectSidecarMinPort: s.ports.sidecar_min_port,
    ConnectTestCALeafRootChangeSpread: '0s',
    EnableCentralServiceConfig: s.enable_central_service_config,
    ExposeMaxPort: s.ports.expose_max_port,
    ExposeMinPort: s.ports.expose_min_port,
  };
}

function checks(c: AgentConfig): Record<string, unknown> {
  const { settings: s } = c;
  return {
    CheckDeregisterIntervalMin: d(s.check_deregister_interval_min),
    CheckOutputMaxSize: s.check_output_max_size,
    CheckReapInterval: d(s.check_reap_interval),
    CheckUpdateInterval: d(s.check_update_interval),
    Checks: c.checks.map((check) => ({ ...check, Token: hidden })),
    DiscardCheckOutput: s.discard_check_output,
    EnableAgentTLSForChecks: s.enable_agent_tls_for_checks,
    EnableLocalScriptChecks: c.scriptsFromFiles,
    EnableRemoteScriptChecks: c.scriptsFromApi,
    Services: c.services.map((service) => ({ ...service, Token: hidden })),
  };
}

function logging(c: AgentConfig): Record<string, unknown> {
  const { settings: s } = c;
  const { telemetry: t } = s;
  const filters = t.prefix_filter;
  return {
    Logging: {
      EnableSyslog: s.enable_syslog,
      LogFilePath: s.log_file,
      LogJSON: s.log_json,
      LogLevel: s.log_level,
      LogRotateBytes: s.log_rotate_bytes,
      LogRotateDuration: d(s.log_rotate_duration),
      LogRotateMaxFiles: s.log_rotate_max_files,
      Name: '',
      SyslogFacility: s.syslog_facility,
    },
    Telemetry: {
      AllowedPrefixes: filters.filter((rule) => rule.startsWith('+')).map((rule) => rule.slice(1)),
      BlockedPrefixes: filters.filter((rule) => rule.startsWith('-')).map((rule) => rule.slice(1)),
      CirconusAPIApp: t.circonus_api_app,
      CirconusAPIToken: hidden,
      CirconusAPIURL: t.circonus_api_url,
      CirconusBrokerID: t.circonus_broker_id,
      CirconusBrokerSelectTag: t.circonus_broker_select_tag,
      CirconusCheckDisplayName: t.circonus_check_display_name,
      CirconusCheckForceMetricActivation: t.circonus_check_force_metric_activation,
      CirconusCheckID: t.circonus_check_id,
      CirconusCheckInstanceID: t.circonus_check_instance_id,
      CirconusCheckSearchTag: t.circonus_check_search_tag,
      CirconusCheckTags: t.circonus_check_tags,
      CirconusSubmissionInterval: t.circonus_submission_interval,
      CirconusSubmissionURL: t.circonus_submission_url,
      Disable: false,
      DisableCompatOneNine: t['disable_compat_1.9'],
      DisableHostname: t.disable_hostname,
      DogstatsdAddr: t.dogstatsd_addr,
      DogstatsdTags: t.dogstatsd_tags,
      FilterDefault: t.filter_default,
      MetricsPrefix: t.metrics_prefix,
      PrometheusOpts: {
        CounterDefinitions: [],
        Expiration: d(t.prometheus_retention_time),
        GaugeDefinitions: [],
        Name: t.metrics_prefix,
        Registerer: null,
        SummaryDefinitions: [],
      },
      StatsdAddr: t.statsd_address,
      StatsiteAddr: t.statsite_address,
    },
  };
}

function security(c: AgentConfig): Record<string, unknown> {
  const { settings: s } = c;
  return {
    AutoConfig: autoConfig(c),
    AutoEncryptAllowTLS: s.auto_encrypt.allow_tls,
    AutoEncryptDNSSAN: s.auto_encrypt.dns_san,
    AutoEncryptIPSAN: s.auto_encrypt.ip_san,
    AutoEncryptTLS: s.auto_encrypt.tls,
    CAFile: s.ca_file,
    CAPath: s.ca_path,
    CertFile: s.cert_file,
    EncryptKey: hidden,
    EncryptVerifyIncoming: s.encrypt_verify_incoming,
    EncryptVerifyOutgoing: s.encrypt_verify_outgoing,
    KeyFile: hidden,
    TLSCipherSuites: s.tls_cipher_suites === '' ? [] : s.tls_cipher_suites.split(','),
    TLSMinVersion: s.tls_min_version,
    TLSPreferServerCipherSuites: s.tls_prefer_server_cipher_suites,
    VerifyIncoming: s.verify_incoming,
    VerifyIncomingHTTPS: s.verify_incoming_https,
    VerifyIncomingRPC: s.verify_incoming_rpc,
    VerifyOutgoing: s.verify_outgoing,
    VerifyServerHostname: s.verify_server_hostname,
  };
}

function autoConfig(c: AgentConfig): Record<string, unknown> {
  const auto = c.settings.auto_config;
  return {
    Authorizer: {
      AllowReuse: false,
      AuthMethod: {
        ACLAuthMethodEnterpriseFields: {},
        Config: {
          BoundAudiences: null,
          BoundIssuer: '',
          ClaimMappings: null,
          ClockSkewLeeway: 0,
          ExpirationLeeway: 0,
          JWKSCACert: '',
          JWKSURL: '',
          JWTSupportedAlgs: null,
          JWTValidationPubKeys: null,
          ListClaimMappings: null,
          NotBeforeLeeway: 0,
          OIDCDiscoveryCACert: '',
          OIDCDiscoveryURL: '',
        },
        Description: '',
        DisplayName: '',
        EnterpriseMeta: {},
        MaxTokenTTL: '0s',
        Name: 'Auto Config Authorizer',
        RaftIndex: { CreateIndex: 0, ModifyIndex: 0 },
        TokenLocality: '',
        Type: 'jwt',
      },
      ClaimAssertions: [],
      Enabled: auto.authorization.enabled,
    },
    DNSSANs: auto.dns_sans,
    Enabled: auto.enabled,
    IPSANs: auto.ip_sans,
    IntroToken: hidden,
    IntroTokenFile: auto.intro_token_file,
    ServerAddresses: auto.server_addresses,
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
