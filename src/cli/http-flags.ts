/** The HTTP flags that commands share, their environment twins, and the client they make. HEDDLE_* wins over CONSUL_*. */
import { readFileSync } from 'node:fs';
import type { FlagGroup } from './command.ts';
import { type FlagSpec, type FlagValues, parseBool } from './flags.ts';
import { type ClientSettings, fileErrorText } from './http-client.ts';

const byGroup: Readonly<Record<FlagGroup, readonly FlagSpec[]>> = {
  client: [
    {
      name: 'ca-file',
      type: 'string',
      placeholder: 'value',
      help: 'Path to a CA file to use for TLS when communicating with the agent. This can also be specified via the HEDDLE_CACERT or CONSUL_CACERT environment variable.',
    },
    {
      name: 'ca-path',
      type: 'string',
      placeholder: 'value',
      help: 'Path to a directory of CA certificates to use for TLS when communicating with the agent. This can also be specified via the HEDDLE_CAPATH or CONSUL_CAPATH environment variable.',
    },
    {
      name: 'client-cert',
      type: 'string',
      placeholder: 'value',
      help: 'Path to a client cert file to use for TLS when the agent verifies its clients. This can also be specified via the HEDDLE_CLIENT_CERT or CONSUL_CLIENT_CERT environment variable.',
    },
    {
      name: 'client-key',
      type: 'string',
      placeholder: 'value',
      help: 'Path to a client key file to use for TLS when the agent verifies its clients. This can also be specified via the HEDDLE_CLIENT_KEY or CONSUL_CLIENT_KEY environment variable.',
    },
    {
      name: 'http-addr',
      type: 'string',
      placeholder: 'address',
      help: 'The address and port of the agent. The value can be an IP address or DNS name, but it must also include the port. This can also be specified via the HEDDLE_HTTP_ADDR or CONSUL_HTTP_ADDR environment variable. The default value is http://127.0.0.1:8500. The scheme can also be set to HTTPS, or to unix:///path for a socket.',
    },
    {
      name: 'tls-server-name',
      type: 'string',
      placeholder: 'value',
      help: 'The server name to use as the SNI host when connecting via TLS. This can also be specified via the HEDDLE_TLS_SERVER_NAME or CONSUL_TLS_SERVER_NAME environment variable.',
    },
    {
      name: 'token',
      type: 'string',
      placeholder: 'value',
      help: 'ACL token to use in the request. This can also be specified via the HEDDLE_HTTP_TOKEN or CONSUL_HTTP_TOKEN environment variable. If unspecified, the query will default to the token of the agent at the HTTP address.',
    },
    {
      name: 'token-file',
      type: 'string',
      placeholder: 'value',
      help: 'File containing the ACL token to use in the request instead of one specified via the -token argument. This can also be specified via the HEDDLE_HTTP_TOKEN_FILE or CONSUL_HTTP_TOKEN_FILE environment variable.',
    },
  ],
  server: [
    {
      name: 'datacenter',
      type: 'string',
      placeholder: 'value',
      help: "Name of the datacenter to query. If unspecified, this will default to the agent's datacenter.",
    },
    {
      name: 'stale',
      type: 'bool',
      help: 'Permit any server (non-leader) to respond to this request. This allows for lower latency and higher throughput, but can result in stale data. This option has no effect on non-read operations.',
    },
  ],
  tenancy: [
    {
      name: 'namespace',
      type: 'string',
      placeholder: 'default',
      help: 'Accepted for compatibility: there is one namespace, default.',
    },
  ],
};

export function sharedFlags(groups: readonly FlagGroup[]): readonly FlagSpec[] {
  return groups.flatMap((group) => (group === 'tenancy' ? [] : byGroup[group]));
}

/** The namespace flag stands among a command's own options, as tools of the field show it. */
export function tenancyFlags(groups: readonly FlagGroup[]): readonly FlagSpec[] {
  return groups.includes('tenancy') ? byGroup.tenancy : [];
}

export interface Environment {
  readonly [name: string]: string | undefined;
}

/** `HEDDLE_x`, else `CONSUL_x`, else ''. */
function variable(env: Environment, name: string): string {
  return env[`HEDDLE_${name}`] ?? env[`CONSUL_${name}`] ?? '';
}

export function clientSettings(flags: FlagValues, env: Environment, warn: (text: string) => void): ClientSettings {
  const pick = (flag: string, name: string): string => (flags.given(flag) ? flags.string(flag) : variable(env, name));
  const bool = (name: string, fallback: boolean): boolean => {
    const text = variable(env, name);
    if (text === '') return fallback;
    const value = parseBool(text);
    if (value === undefined) warn(`[WARN] could not parse ${name}: ${JSON.stringify(text)} is not a boolean`);
    return value ?? fallback;
  };
  const address = pick('http-addr', 'HTTP_ADDR');
  return {
    address: address === '' ? '127.0.0.1:8500' : address,
    token: token(pick('token', 'HTTP_TOKEN'), pick('token-file', 'HTTP_TOKEN_FILE')),
    tls: bool('HTTP_SSL', false),
    verify: bool('HTTP_SSL_VERIFY', true),
    caFile: pick('ca-file', 'CACERT'),
    caPath: pick('ca-path', 'CAPATH'),
    certFile: pick('client-cert', 'CLIENT_CERT'),
    keyFile: pick('client-key', 'CLIENT_KEY'),
    serverName: pick('tls-server-name', 'TLS_SERVER_NAME'),
    basicAuth: variable(env, 'HTTP_AUTH'),
    datacenter: flags.string('datacenter'),
    stale: flags.bool('stale'),
    namespace: pick('namespace', 'NAMESPACE'),
  };
}

/** A file that is not empty wins over a token given in words. */
function token(text: string, file: string): string {
  if (file === '') return text;
  try {
    const content = readFileSync(file, 'utf8').trim();
    return content === '' ? text : content;
  } catch (error) {
    throw new Error(`Error connecting to Heddle agent: Error loading token file: ${fileErrorText(file, error)}`);
  }
}
