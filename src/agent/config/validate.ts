/** Relations between settings: the first that does not hold stops the start. Texts are the reference's. */

import { readFileSync } from 'node:fs';
import { parseSealKey } from '../../ca/seal.ts';
import { decodeBase64 } from '../../std/base64.ts';
import { formatDuration, hour } from '../../std/duration.ts';
import { ipFamily, kindProblems, metadataProblem, problemList } from '../../structs/index.ts';
import type { AgentConfig } from './agent-config.ts';
import { readBootstrapEntry } from './bootstrap-entry.ts';
import { ConfigError } from './problems.ts';

type Rule = (config: AgentConfig) => string | undefined | false;

export function validate(config: AgentConfig): void {
  for (const rule of rules) {
    const problem = rule(config);
    if (problem !== undefined && problem !== false) throw new ConfigError(problem);
  }
}

const word = /^[a-z0-9_-]+$/;
const badWord = (name: string, value: string): string =>
  `${name} can only contain lowercase alphanumeric, - or _ characters. received: ${JSON.stringify(value)}`;

const identity: readonly Rule[] = [
  (c) => !word.test(c.datacenter) && badWord('datacenter', c.datacenter),
  (c) => !word.test(c.primaryDatacenter) && badWord('primary_datacenter', c.primaryDatacenter),
  (c) => !c.dev && c.settings.data_dir === '' && 'data_dir cannot be empty',
  (c) => {
    const problem = metadataProblem(c.settings.node_meta);
    return problem === undefined ? undefined : `node_meta invalid: ${problem}`;
  },
  (c) => c.nodeName === '' && 'node_name cannot be empty',
];

const servers: readonly Rule[] = [
  (c) => c.settings.bootstrap && !c.server && "'bootstrap = true' requires 'server = true'",
  (c) =>
    c.settings.bootstrap_expect < 0 &&
    `bootstrap_expect cannot be ${c.settings.bootstrap_expect}. Must be greater than or equal to zero`,
  (c) => c.settings.bootstrap_expect > 0 && !c.server && "'bootstrap_expect > 0' requires 'server = true'",
  (c) => c.settings.bootstrap_expect > 0 && c.dev && "'bootstrap_expect > 0' not allowed in dev mode",
  (c) =>
    c.settings.bootstrap_expect > 0 &&
    c.settings.bootstrap &&
    "'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive",
  (c) =>
    c.settings.raft_protocol !== 3 &&
    `raft_protocol version ${c.settings.raft_protocol} is not supported by this version of Consul`,
  ({ settings: { performance: p } }) =>
    (p.raft_multiplier < 1 || p.raft_multiplier > 10) &&
    `performance.raft_multiplier cannot be ${p.raft_multiplier}. Must be between 1 and 10`,
  ({ settings: { server_rejoin_age_max: age } }) =>
    age < 6 * hour &&
    `server_rejoin_age_max: duration '${formatDuration(age)}' cannot be less than: ${formatDuration(6 * hour)}`,
  (c) => c.settings.primary_gateways.length > 0 && !c.server && "'primary_gateways' requires 'server = true'",
  (c) =>
    c.settings.connect.enable_mesh_gateway_wan_federation &&
    !c.server &&
    "'connect.enable_mesh_gateway_wan_federation = true' requires 'server = true'",
  (c) =>
    c.server &&
    c.settings.advertise_reconnect_timeout > 0 &&
    'advertise_reconnect_timeout can only be used on a client',
  (c) => c.settings.auto_encrypt.tls && c.server && 'auto_encrypt.tls can only be used on a client.',
  (c) => c.settings.auto_encrypt.allow_tls && !c.server && 'auto_encrypt.allow_tls can only be used on a server.',
];

const userInterface: readonly Rule[] = [
  (c) =>
    !c.dev &&
    (c.settings.ui ?? c.settings.ui_config.enabled) &&
    (c.settings.ui_dir || c.settings.ui_config.dir) !== '' &&
    'Both the ui_config.enabled and ui_config.dir (or -ui and -ui-dir) were specified, please provide only one.\nIf trying to use your own web UI resources, use ui_config.dir or the -ui-dir flag.\nThe web UI is included in the binary so use ui_config.enabled or the -ui flag to enable it',
  (c) =>
    !/^[A-Za-z0-9/_-]+$/.test(c.uiContentPath) &&
    `ui-content-path can only contain alphanumeric, -, _, or /. received: ${JSON.stringify(c.uiContentPath)}`,
  (c) =>
    /\/v[0-9]+\//.test(c.uiContentPath) &&
    `ui-content-path cannot have 'v[0-9]'. received: ${JSON.stringify(c.uiContentPath)}`,
  ({ settings: { ui_config: ui } }) =>
    ui.metrics_provider !== '' &&
    !word.test(ui.metrics_provider) &&
    badWord('ui_config.metrics_provider', ui.metrics_provider),
  ({ settings: { ui_config: ui } }) => {
    if (ui.metrics_provider_options_json === '') return undefined;
    try {
      const options: unknown = JSON.parse(ui.metrics_provider_options_json);
      if (typeof options === 'object' && options !== null && !Array.isArray(options)) return undefined;
    } catch {
      // Said below.
    }
    return `ui_config.metrics_provider_options_json must be empty or a string containing a valid JSON object. received: ${JSON.stringify(ui.metrics_provider_options_json)}`;
  },
];

const doors: readonly Rule[] = [
  (c) => {
    const starts = ['service', 'connect', 'node', 'query', 'addr', c.datacenter];
    const bad = starts.some((start) => c.settings.alt_domain.startsWith(`${start}.`));
    return bad && `alt_domain cannot start with {${starts.join(',')}}`;
  },
  ({ settings: { dns_config: d } }) =>
    d.udp_answer_limit < 0 &&
    `dns_config.udp_answer_limit cannot be ${d.udp_answer_limit}. Must be greater than or equal to zero`,
  ({ settings: { dns_config: d } }) =>
    d.a_record_limit < 0 &&
    `dns_config.a_record_limit cannot be ${d.a_record_limit}. Must be greater than or equal to zero`,
  ({ settings: { dns_config: d } }) =>
    !['sequential', 'random'].includes(d.recursor_strategy) &&
    `dns_config.recursor_strategy: invalid strategy: ${JSON.stringify(d.recursor_strategy)}`,
  ({ settings: { ports: p } }) =>
    p.sidecar_max_port < p.sidecar_min_port &&
    'sidecar_min_port must be less than sidecar_max_port. To disable, set both to zero.',
  ({ settings: { ports: p } }) =>
    p.expose_max_port < p.expose_min_port &&
    'expose_min_port must be less than expose_max_port. To disable, set both to zero.',
  listenerClash,
  (c) => cidrProblem('serf_lan_allowed_cidrs', c.settings.serf_lan_allowed_cidrs),
  (c) => cidrProblem('serf_wan_allowed_cidrs', c.settings.serf_wan_allowed_cidrs),
];

const limits: readonly Rule[] = [
  ({ settings: s }) =>
    s.check_output_max_size < 1 &&
    'check_output_max_size must be positive, to discard check output use the discard_check_output flag',
  ({ settings: { cache } }) =>
    cache.entry_fetch_max_burst <= 0 &&
    `cache.entry_fetch_max_burst must be strictly positive, was: ${cache.entry_fetch_max_burst}`,
  ({ settings: { cache } }) =>
    cache.entry_fetch_rate <= 0 && `cache.entry_fetch_rate must be strictly positive, was: ${cache.entry_fetch_rate}`,
  openFiles,
];

const mesh: readonly Rule[] = [
  (c) =>
    c.connectEnabled &&
    !['consul', 'vault', 'aws-pca', ''].includes(c.settings.connect.ca_provider) &&
    `${c.settings.connect.ca_provider} is not a valid CA provider`,
  ({ settings: s }) =>
    !['', 'allow', 'deny'].includes(s.default_intention_policy) &&
    `default_intention_policy must be 'allow' or 'deny', not ${JSON.stringify(s.default_intention_policy)}`,
  (c) => {
    for (const [i, entry] of c.settings.config_entries.bootstrap.entries()) {
      const read = readBootstrapEntry(entry);
      if (!read.ok) return `config_entries.bootstrap[${i}]: ${read.error}`;
    }
    return undefined;
  },
  (c) => {
    if (c.settings.encrypt === '') return undefined;
    const key = decodeBase64(c.settings.encrypt);
    return key.ok ? undefined : `encrypt has invalid key: ${key.error}`;
  },
  ({ settings: { connect } }) => {
    const key = parseSealKey(connect.ca_seal_key);
    return key.ok ? undefined : `connect.ca_seal_key: ${key.error.message}`;
  },
  autoConfig,
  (c) => {
    for (const service of c.services) {
      const problems = kindProblems(service, service.Connect?.SidecarService != null);
      if (problems.length > 0) return `service ${JSON.stringify(service.Name)}: ${problemList(problems)}`;
    }
    return undefined;
  },
];

const rules: readonly Rule[] = [...identity, ...servers, ...userInterface, ...doors, ...limits, ...mesh];

function autoConfig(config: AgentConfig): string | undefined {
  const auto = config.settings.auto_config;
  if (!auto.enabled) return undefined;
  if (!config.settings.verify_outgoing) {
    return 'auto_config.enabled cannot be set without configuring TLS for server communications';
  }
  if (auto.intro_token === '' && auto.intro_token_file === '') {
    return 'One of auto_config.intro_token, auto_config.intro_token_file or the CONSUL_INTRO_TOKEN environment variable must be set to enable auto_config';
  }
  return undefined;
}

/** Two doors cannot share an address. Looked at in this order. */
function listenerClash(config: AgentConfig): string | undefined {
  const owner = new Map<string, string>();
  const { ports } = config.settings;
  const advertise = config.advertiseAddress;
  const claims: [string, readonly string[]][] = [
    ['DNS', config.dns.map(spell)],
    ['HTTP', config.http.map(spell)],
    ['HTTPS', config.https.map(spell)],
    ['RPC Advertise', [`${advertise}:${ports.server}`]],
    ['Serf Advertise LAN', [`${advertise}:${ports.serf_lan}`]],
    ['Serf Advertise WAN', ports.serf_wan > 0 ? [`${config.advertiseAddressWan}:${ports.serf_wan}`] : []],
  ];
  for (const [name, addresses] of claims) {
    for (const address of addresses) {
      const before = owner.get(address);
      if (before !== undefined && !/:(-1|0)$/.test(address)) {
        return `${name} address ${address} already configured for ${before}`;
      }
      owner.set(address, name);
    }
  }
  return undefined;
}

const spell = (listen: AgentConfig['http'][number]): string =>
  listen.kind === 'unix' ? `unix://${listen.path}` : `${listen.address}:${listen.port}`;

export function isCidr(text: string): boolean {
  const parts = /^(.*)\/(\d{1,3})$/.exec(text);
  const family = ipFamily(parts?.[1] ?? '');
  return parts !== null && family !== 0 && Number(parts[2]) <= (family === 4 ? 32 : 128);
}

function cidrProblem(name: string, cidrs: readonly string[]): string | undefined {
  const bad = cidrs.filter((cidr) => !isCidr(cidr));
  return bad.length === 0 ? undefined : `${name}: ${problemList(bad.map((cidr) => `invalid cidr: ${cidr}`))}`;
}

/** Files that an agent needs beside the connections of one client. */
const otherFiles = 20;

function openFiles(config: AgentConfig): string | undefined {
  const perClient = config.settings.limits.http_max_conns_per_client;
  const max = openFilesMax();
  if (max === undefined || perClient + otherFiles <= max) return undefined;
  return `system allows a max of ${max} file descriptors, but limits.http_max_conns_per_client: ${perClient} needs at least ${perClient + otherFiles}`;
}

/** Undefined where the system does not say (it is read from Linux's proc). */
function openFilesMax(): number | undefined {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line === null ? undefined : Number(line[1]);
  } catch {
    return undefined;
  }
}
