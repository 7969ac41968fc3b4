/** Parts of `DebugConfig`: doors, mesh, checks, logs and metrics, security. */
import { formatDuration } from '../std/duration.ts';
import type { AgentConfig, Listen } from './config/index.ts';

const hidden = 'hidden';
const d = formatDuration;
const url = (scheme: string, listen: Listen): string =>
  listen.kind === 'unix' ? `unix://${listen.path}` : `${scheme}://${listen.address}:${listen.port}`;
const shown = (port: number): number => (port <= 0 ? -1 : port);

export function doors(c: AgentConfig): Record<string, unknown> {
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

export function mesh(c: AgentConfig): Record<string, unknown> {
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

export function checks(c: AgentConfig): Record<string, unknown> {
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

export function logging(c: AgentConfig): Record<string, unknown> {
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

export function security(c: AgentConfig): Record<string, unknown> {
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
