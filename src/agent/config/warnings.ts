/** What is said about a configuration that is accepted all the same. */
import { keys, type Settings } from './keys/index.ts';
import { leaves } from './schema.ts';

/** Old and foreign keys that some source set. */
export function keyWarnings(given: ReadonlySet<string>): string[] {
  const deprecated: string[] = [];
  const enterprise: string[] = [];
  for (const { path, key } of leaves(keys)) {
    if (![...given].some((name) => name === path || name.startsWith(`${path}.`))) continue;
    if (key.doc.deprecated !== undefined) deprecated.push(key.doc.deprecated);
    if (key.doc.enterprise) {
      enterprise.push(`${JSON.stringify(path)} is a Consul Enterprise configuration and will have no effect`);
    }
  }
  return [...deprecated.sort((a, b) => rank(a) - rank(b)), ...enterprise];
}
const rank = (text: string): number => (text.startsWith('config key') ? 0 : 1);

export function warnings(settings: Settings, aclsEnabled: boolean, nodeName: string): string[] {
  return [
    ...nodeNameWarnings(nodeName),
    ...scriptWarnings(settings, aclsEnabled),
    ...bootstrapWarnings(settings),
    ...filterWarnings(settings),
    ...(settings.auto_encrypt.allow_tls && !settings.verify_incoming && !settings.verify_incoming_rpc
      ? [
          'if auto_encrypt.allow_tls is turned on, either verify_incoming or verify_incoming_rpc should be enabled. It is necessary to turn it off during a migration to TLS, but it should definitely be turned on afterwards.',
        ]
      : []),
  ];
}

function nodeNameWarnings(name: string): string[] {
  const quoted = JSON.stringify(name);
  if (!/^[A-Za-z0-9-]*$/.test(name)) {
    return [
      `Node name ${quoted} will not be discoverable via DNS due to invalid characters. Valid characters include all alpha-numerics and dashes.`,
    ];
  }
  if (name.length > 63) {
    return [
      `Node name ${quoted} will not be discoverable via DNS due to it being too long. Valid lengths are between 1 and 63 bytes.`,
    ];
  }
  return [];
}

function scriptWarnings(settings: Settings, aclsEnabled: boolean): string[] {
  if (!settings.enable_script_checks || aclsEnabled || settings.http_config.allow_write_http_from.length > 0) return [];
  return [
    'using enable-script-checks without ACLs and without allow_write_http_from is DANGEROUS, use enable-local-script-checks instead, see https://www.hashicorp.com/blog/protecting-consul-from-rce-risk-in-specific-configurations/',
  ];
}

const table = 'See https://www.consul.io/docs/internals/consensus.html#deployment-table';

function bootstrapWarnings(settings: Settings): string[] {
  const expect = settings.bootstrap_expect;
  const out: string[] = [];
  if (expect === 1) out.push('BootstrapExpect is set to 1; this is the same as Bootstrap mode.');
  if (expect === 2) {
    out.push(`bootstrap_expect = 2: A cluster with 2 servers will provide no failure tolerance. ${table}`);
  }
  if (expect > 2 && expect % 2 === 0) {
    out.push(
      `bootstrap_expect is even number: A cluster with an even number of servers does not achieve optimum fault tolerance. ${table}`,
    );
  }
  if (expect > 1) out.push(`bootstrap_expect > 0: expecting ${expect} servers`);
  if (settings.bootstrap || expect === 1) out.push('bootstrap = true: do not enable unless necessary');
  return out;
}

function filterWarnings(settings: Settings): string[] {
  const out: string[] = [];
  for (const rule of settings.telemetry.prefix_filter) {
    if (rule === '') out.push('Cannot have empty filter rule in prefix_filter');
    else if (!/^[+-]/.test(rule)) out.push(`Filter rule must begin with either '+' or '-': ${JSON.stringify(rule)}`);
  }
  return out;
}
