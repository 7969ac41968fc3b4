/**
 * From what the sources said to the configuration that runs. Stops at the first structural problem; problems of single
 * values (durations, ports, networks, metadata, weights) are told together.
 */
import { hostname } from 'node:os';
import { problemList } from '../../structs/index.ts';
import { asCheck, asService } from '../definitions/file.ts';
import { serviceProblems } from '../definitions/rules.ts';
import { Addresses } from './addresses.ts';
import type { AgentConfig, Listen } from './agent-config.ts';
import { keys, type RawConfig, type Settings } from './keys/index.ts';
import { ConfigError } from './problems.ts';
import { type Fields, leaves } from './schema.ts';
import { settle } from './settle.ts';
import { type InterfaceAddress, systemInterfaces } from './sockaddr.ts';
import { validate } from './validate.ts';
import { keyWarnings, warnings } from './warnings.ts';

export interface BuildInput {
  readonly raw: RawConfig;
  readonly dev: boolean;
  readonly problems: readonly string[];
  readonly notices: readonly string[];
  readonly interfaces?: () => InterfaceAddress[];
}

export function build(input: BuildInput): AgentConfig {
  const problems = [...input.problems];
  const settings = settle(input.raw, problems);
  const given = new Set(givenPaths(keys, input.raw as Record<string, unknown>));
  refuseSegments(given);
  const addresses = new Addresses(settings, input.interfaces ?? systemInterfaces, problems);
  const config = assemble(input, settings, given, addresses, problems);
  for (const service of config.services) problems.push(...serviceProblems(service));
  if (problems.length > 0) throw new ConfigError(problemList(problems));
  validate(config);
  return config;
}

function refuseSegments(given: ReadonlySet<string>): void {
  if (given.has('segment') || given.has('segments')) {
    throw new ConfigError('Network segments are not supported in this version of Consul');
  }
}

function assemble(
  input: BuildInput,
  settings: Settings,
  given: ReadonlySet<string>,
  addresses: Addresses,
  problems: string[],
): AgentConfig {
  const { ports } = settings;
  for (const [name, port] of Object.entries(ports)) {
    if (port < 0 ? false : port > 65_535) problems.push(`ports.${name}: invalid port: ${port}`);
  }
  const bindAddress = addresses.bind();
  const advertiseAddress = addresses.advertise(bindAddress);
  const advertiseAddressWan = addresses.advertiseWan(advertiseAddress);
  const clientAddresses = addresses.client();
  const listeners = (name: 'dns' | 'http' | 'https' | 'grpc'): Listen[] =>
    addresses.listeners(name, clientAddresses, ports[name]);
  const datacenter = settings.datacenter.toLowerCase();
  const bootstrap = settings.bootstrap || settings.bootstrap_expect === 1;
  const aclsEnabled = settings.acl.enabled || settings.acl_datacenter !== '';
  return {
    settings,
    given,
    dev: input.dev,
    datacenter,
    primaryDatacenter: (settings.primary_datacenter || settings.acl_datacenter || datacenter).toLowerCase(),
    nodeName: (settings.node_name || hostname()).trim(),
    server: settings.server,
    bootstrap,
    bootstrapExpect: settings.bootstrap_expect === 1 && !settings.bootstrap ? 0 : settings.bootstrap_expect,
    bindAddress,
    advertiseAddress,
    advertiseAddressWan,
    taggedAddresses: addresses.tagged(advertiseAddress, advertiseAddressWan),
    clientAddresses,
    http: listeners('http'),
    dns: listeners('dns'),
    https: listeners('https'),
    grpc: listeners('grpc'),
    recursors: addresses.recursors(),
    serfLanAddress: addresses.one('serf_lan', settings.serf_lan) || bindAddress,
    serfWanAddress: addresses.one('serf_wan', settings.serf_wan) || bindAddress,
    aclsEnabled,
    defaultPolicy: (settings.acl_default_policy || settings.acl.default_policy) === 'deny' ? 'deny' : 'allow',
    defaultIntentionPolicy: intentionPolicyOf(settings.default_intention_policy),
    connectEnabled: settings.connect.enabled ?? true,
    scriptsFromApi: settings.enable_script_checks,
    scriptsFromFiles: settings.enable_local_script_checks ?? settings.enable_script_checks,
    leaveOnTerminate: settings.leave_on_terminate ?? !settings.server,
    skipLeaveOnInterrupt: settings.skip_leave_on_interrupt ?? settings.server,
    uiContentPath: contentPath(settings),
    services: settings.services.map(asService),
    checks: settings.checks.map(asCheck),
    warnings: [
      ...keyWarnings(given),
      ...input.notices,
      ...warnings(settings, aclsEnabled, (settings.node_name || hostname()).trim()),
    ],
  };
}

function contentPath(settings: Settings): string {
  const text = settings.ui_content_path || settings.ui_config.content_path;
  return `/${text.replace(/^\/+|\/+$/g, '')}/`.replace(/^\/\/$/, '/');
}

function givenPaths(fields: Fields, raw: Record<string, unknown>, prefix = ''): string[] {
  return Object.entries(raw).flatMap(([name, value]) => {
    const key = fields[name];
    return key?.kind === 'object'
      ? givenPaths(key.fields, value as Record<string, unknown>, `${prefix}${name}.`)
      : [prefix + name];
  });
}

/** What an agent cannot honour yet must stop it: keys set to anything but their default that are declared as refused. */
export function refusals(config: AgentConfig): string[] {
  return leaves(keys).flatMap(({ path, key }) => {
    if (key.doc.refused === undefined || !config.given.has(path)) return [];
    const value = path.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], config.settings);
    if ('fallback' in key && (value === key.fallback || isEmptyList(value))) return [];
    return [`${path}: ${key.doc.refused}`];
  });
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** validate.ts refuses any other text. */
function intentionPolicyOf(text: string): 'allow' | 'deny' | undefined {
  return text === 'allow' || text === 'deny' ? text : undefined;
}
