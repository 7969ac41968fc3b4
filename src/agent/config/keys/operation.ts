/** Logs, limits, timing, checks: how an agent runs. */
import { bool, duration, float, int, list, map, maybeBool, maybeInt, object, string } from '../schema.ts';

const gossip = (scope: string, g: string, nodes: number, p: string, t: string, suspicion: number) =>
  object(`Timing of the ${scope} pool.`, {
    gossip_interval: duration('Time between gossip messages.', g),
    gossip_nodes: int('Members gossiped to each time.', nodes),
    probe_interval: duration('Time between probes.', p),
    probe_timeout: duration('Time for an acknowledgement.', t),
    suspicion_mult: int('Multiplies the time a suspect has to refute.', suspicion),
    retransmit_mult: int('Multiplies how often a message is passed on.', 4),
  });

export const operation = {
  log_level: string(
    { help: 'Log level of the agent: trace, debug, info, warn, error.', flag: 'log-level', reload: true },
    'INFO',
  ),
  log_json: bool({ help: 'Output logs in JSON format.', flag: 'log-json' }),
  log_file: string({ help: 'Path to the file the logs get written to.', flag: 'log-file' }),
  log_rotate_duration: duration({
    help: 'Time after which log rotation needs to be performed.',
    flag: 'log-rotate-duration',
  }),
  log_rotate_bytes: int({
    help: 'Maximum number of bytes to a log file before it is rotated.',
    flag: 'log-rotate-bytes',
  }),
  log_rotate_max_files: int({ help: 'Maximum number of log files to keep.', flag: 'log-rotate-max-files' }),
  enable_syslog: bool({
    help: 'Enables logging to syslog.',
    flag: 'syslog',
    refused: 'this version does not write to syslog',
  }),
  syslog_facility: string('Syslog facility.', 'LOCAL0'),
  pid_file: string({ help: 'Path to file to store agent PID.', flag: 'pid-file' }),
  limits: object('Limits.', {
    http_max_conns_per_client: int({ help: 'Connections of one address to HTTP(S).' }, 200),
    https_handshake_timeout: duration('Time for a TLS handshake.', '5s'),
    rpc_handshake_timeout: duration('Time for a handshake between agents.', '5s'),
    rpc_client_timeout: duration({ help: 'Time for a call to a server.' }, '60s'),
    rpc_max_conns_per_client: int({ help: 'Connections of one address between agents.' }, 100),
    rpc_rate: float({ help: 'Calls a second to the servers; -1: no limit.' }, -1),
    rpc_max_burst: int({ help: 'Size of the bucket of rpc_rate.' }, 1000),
    kv_max_value_size: int({ help: 'Largest value of the KV store.', unit: 'bytes' }, 524_288),
    txn_max_req_len: int({ help: 'Largest transaction.', unit: 'bytes' }, 524_288),
  }),
  performance: object('Trade of speed against resources.', {
    raft_multiplier: int(
      { help: 'Multiplies the Raft timings.', min: 1, max: 10, why: 'small machines and busy disks' },
      5,
    ),
    leave_drain_time: duration('How long a leaving server goes on answering.', '5s'),
    rpc_hold_timeout: duration('How long a request waits for a leader.', '7s'),
  }),
  default_query_time: duration(
    { help: 'The amount of time a blocking query will wait before answering.', flag: 'default-query-time' },
    '300s',
  ),
  max_query_time: duration(
    { help: 'The maximum amount of time a blocking query can wait.', flag: 'max-query-time' },
    '600s',
  ),
  session_ttl_min: duration('Least TTL of a session; 0: 10s.'),
  check_update_interval: duration(
    { help: 'How long a change of output alone may wait to be sent.', why: 'outputs change often and matter little' },
    '5m',
  ),
  check_output_max_size: int(
    { help: 'Sets the maximum output size for checks on this agent.', flag: 'check_output_max_size', unit: 'bytes' },
    4096,
  ),
  discard_check_output: bool({ help: 'Keep no output of checks.', reload: true }),
  discovery_max_stale: duration('Answer discovery queries from any server within this age.'),
  enable_debug: bool('Open the profiling endpoints.'),
  enable_script_checks: bool({
    help: 'Enables health check scripts, also from the HTTP API.',
    flag: 'enable-script-checks',
    why: 'whoever may register could run commands',
  }),
  enable_local_script_checks: maybeBool({
    help: 'Enables health check scripts from configuration files.',
    flag: 'enable-local-script-checks',
  }),
  enable_agent_tls_for_checks: bool({
    help: "Present the agent's certificate in checks.",
    refused: 'this version has no agent certificates',
  }),
  enable_central_service_config: bool('Merge service-defaults and proxy-defaults into local services.', true),
  use_streaming_backend: bool('Follow health by streams.', true),
  rpc: object('Calls between agents.', { enable_streaming: maybeBool('Offer streams. Default: on servers.') }),
  cache: object('The cache of an agent.', {
    entry_fetch_max_burst: int({ help: 'Fetches of one entry at once.' }, 2),
    entry_fetch_rate: float({ help: 'Fetches of one entry a second.' }, Number.MAX_VALUE),
  }),
  raft_snapshot_threshold: int(
    { help: 'Fewest entries between two checkpoints; a large state waits for more.' },
    16_384,
  ),
  raft_snapshot_interval: duration({ help: 'How often the need of a checkpoint is looked at.' }, '30s'),
  raft_trailing_logs: int({ help: 'Entries kept behind a checkpoint.' }, 10_240),
  gossip_lan: gossip('LAN', '200ms', 3, '1s', '500ms', 4),
  gossip_wan: gossip('WAN', '500ms', 3, '5s', '3s', 6),
  autopilot: object('What seeds the stored autopilot configuration.', {
    cleanup_dead_servers: bool('Remove dead servers when new ones join.', true),
    last_contact_threshold: duration('A healthy server heard the leader within this.', '200ms'),
    max_trailing_logs: int('A healthy server is not further behind.', 250),
    min_quorum: int('Never prune below this many servers.'),
    server_stabilization_time: duration('A new server votes after this time of health.', '10s'),
    redundancy_zone_tag: string({ help: 'Enterprise.', enterprise: true }),
    upgrade_version_tag: string({ help: 'Enterprise.', enterprise: true }),
    disable_upgrade_migration: bool({ help: 'Enterprise.', enterprise: true }),
  }),
  telemetry: object('Metrics.', {
    metrics_prefix: string('Prefix of every metric.', 'consul'),
    disable_hostname: bool('Do not put the host name into gauges.'),
    filter_default: bool('Keep metrics that no filter names.', true),
    prefix_filter: list({ help: 'Filters: `+prefix` keeps, `-prefix` drops.' }),
    prometheus_retention_time: duration('Serve /v1/agent/metrics?format=prometheus; 0: do not. `-dev` serves it.'),
    statsd_address: string({ help: 'Statsd sink.', refused: 'this version has no push sinks: let Prometheus ask' }),
    statsite_address: string({ help: 'Statsite sink.', refused: 'this version has no push sinks: let Prometheus ask' }),
    dogstatsd_addr: string({ help: 'Dogstatsd sink.', refused: 'this version has no push sinks: let Prometheus ask' }),
    dogstatsd_tags: list('Tags of the dogstatsd sink.'),
    'disable_compat_1.9': bool('Drop the old names of HTTP timers.'),
    circonus_api_token: string({
      help: 'Circonus.',
      secret: true,
      refused: 'this version has no push sinks: let Prometheus ask',
    }),
    circonus_api_app: string('Circonus.'),
    circonus_api_url: string('Circonus.'),
    circonus_submission_interval: string('Circonus.'),
    circonus_submission_url: string('Circonus.'),
    circonus_check_id: string('Circonus.'),
    circonus_check_force_metric_activation: string('Circonus.'),
    circonus_check_instance_id: string('Circonus.'),
    circonus_check_search_tag: string('Circonus.'),
    circonus_check_display_name: string('Circonus.'),
    circonus_check_tags: string('Circonus.'),
    circonus_broker_id: string('Circonus.'),
    circonus_broker_select_tag: string('Circonus.'),
  }),
  unix_sockets: object('Owner and mode of HTTP sockets.', {
    user: string('User name or id.'),
    group: string('Group id.'),
    mode: string('Octal mode.'),
  }),
};

export const doors = {
  domain: string({ help: 'Domain to use for DNS interface.', flag: 'domain' }, 'consul.'),
  alt_domain: string({ help: 'Alternate domain to use for DNS interface.', flag: 'alt-domain' }),
  recursors: list({
    help: 'Address of an upstream DNS server. Can be specified multiple times.',
    flag: 'recursor',
  }),
  dns_config: object('The DNS door.', {
    allow_stale: bool({ help: 'Answer from any server.' }, true),
    max_stale: duration({ help: 'Greatest age of an answer.' }, '87600h'),
    node_ttl: duration({ help: 'TTL of node answers.' }),
    service_ttl: map({ help: 'TTL by service name, `*` or `prefix*`.' }),
    only_passing: bool({ help: 'Leave out warning instances.' }),
    enable_truncate: bool({ help: 'Set the truncation bit.' }),
    disable_compression: bool({ help: 'Do not compress names.' }),
    udp_answer_limit: int({ help: 'Answers over UDP.' }, 3),
    a_record_limit: int({ help: 'Address answers; 0: no limit.' }),
    recursor_timeout: duration({ help: 'Time for a recursor.' }, '2s'),
    recursor_strategy: string({ help: 'sequential or random.' }, 'sequential'),
    enable_additional_node_meta_txt: bool({ help: 'Add TXT records of node meta.' }, true),
    soa: object('The SOA record.', {
      refresh: int({ help: 'Refresh.', unit: 'seconds' }, 3600),
      retry: int({ help: 'Retry.', unit: 'seconds' }, 600),
      expire: int({ help: 'Expire.', unit: 'seconds' }, 86_400),
      min_ttl: int({ help: 'Negative TTL.', unit: 'seconds' }, 0),
    }),
    use_cache: bool({ help: "Answer from the agent's cache." }),
    cache_max_age: duration({ help: 'Greatest age in the cache.' }),
    prefer_namespace: bool({ help: 'Enterprise.', enterprise: true }),
  }),
  http_config: object('The HTTP door.', {
    block_endpoints: list('Path prefixes answered 403.'),
    response_headers: map('Headers of every answer.'),
    allow_write_http_from: list({
      help: 'Only allow write endpoint calls from given network. CIDR format, can be specified multiple times.',
      flag: 'allow-write-http-from',
    }),
    use_cache: bool('Honour ?cached.', true),
    max_header_bytes: int({ help: 'Largest request header; 0: the default of the platform.', unit: 'bytes' }),
  }),
  ui_config: object('The web console.', {
    enabled: bool({ help: 'Enables the built-in web UI.', flag: 'ui' }),
    dir: string({ help: 'Path to directory containing the web UI resources.', flag: 'ui-dir' }),
    content_path: string({ help: 'Sets the external UI path to a string.', flag: 'ui-content-path' }, '/ui/'),
    metrics_provider: string({ help: 'Where the console finds metrics.' }),
    metrics_provider_files: list({ help: 'Scripts of the provider.' }),
    metrics_provider_options_json: string({ help: 'Options of the provider.' }),
    metrics_proxy: object('Proxy to a metrics server.', {
      base_url: string({ help: 'Where to.' }),
      path_allowlist: list({ help: 'Paths allowed.' }),
    }),
    dashboard_url_templates: map({ help: 'Links of the console.' }),
  }),
  ui: maybeBool({
    help: 'Old name of ui_config.enabled.',
    deprecated: "The 'ui' field is deprecated. Use the 'ui_config.enabled' field instead.",
  }),
  ui_dir: string({
    help: 'Old name of ui_config.dir.',
    deprecated: "The 'ui_dir' field is deprecated. Use the 'ui_config.dir' field instead.",
  }),
  ui_content_path: string({
    help: 'Old name of ui_config.content_path.',
    deprecated: "The 'ui_content_path' field is deprecated. Use the 'ui_config.content_path' field instead.",
  }),
};

/** Accepted in files and fixed whatever they say (tests of the reference set them). */
const fixed = 'fixed';
export const fixedKeys = {
  ae_interval: duration({ help: 'Time between full syncs.', inert: fixed }, '1m'),
  check_reap_interval: duration(
    { help: 'Time between looks for critical services to deregister.', inert: fixed },
    '30s',
  ),
  check_deregister_interval_min: duration({ help: 'Least deregister_critical_service_after.', inert: fixed }, '1m'),
  sync_coordinate_rate_target: float({ help: 'Coordinate updates a second.', inert: fixed }, 64),
  sync_coordinate_interval_min: duration({ help: 'Least time between coordinate updates.', inert: fixed }, '15s'),
  segment_limit: int({ help: 'Greatest number of segments.', inert: fixed }, 64),
  segment_name_limit: int({ help: 'Longest segment name.', inert: fixed }, 64),
  consul: object('Inner timings.', {
    coordinate: object('Coordinates.', {
      update_batch_size: maybeInt({ help: 'Updates a batch.', inert: fixed }),
      update_max_batches: maybeInt({ help: 'Batches a period.', inert: fixed }),
      update_period: duration({ help: 'The period.', inert: fixed }, '5s'),
    }),
    raft: object('Raft.', {
      election_timeout: duration({ help: 'Before the multiplier.', inert: fixed }, '1s'),
      heartbeat_timeout: duration({ help: 'Before the multiplier.', inert: fixed }, '1s'),
      leader_lease_timeout: duration({ help: 'Before the multiplier.', inert: fixed }, '500ms'),
    }),
    server: object('Servers.', { health_interval: duration({ help: 'Autopilot interval.', inert: fixed }, '2s') }),
  }),
  version: string({ help: 'Version.', inert: fixed }),
  version_prerelease: string({ help: 'Version.', inert: fixed }),
  version_metadata: string({ help: 'Version.', inert: fixed }),
  revision: string({ help: 'Version.', inert: fixed }),
  build_date: string({ help: 'Version.', inert: fixed }),
};
