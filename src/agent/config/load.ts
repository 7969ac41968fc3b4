/** The one way to a configuration: words of the command line, files and fragments in, AgentConfig out. */
import type { AgentConfig } from './agent-config.ts';
import { build } from './build.ts';
import { type FlagValue, flagSources } from './flags.ts';
import type { RawConfig } from './keys/index.ts';
import { mergeRaw } from './merge.ts';
import { ConfigError } from './problems.ts';
import type { InterfaceAddress } from './sockaddr.ts';
import { objectSource, parseSource, readFiles, type Source } from './sources.ts';
import { isCidr } from './validate.ts';

export interface LoadInput {
  readonly dev?: boolean;
  /** Files and directories, in order. */
  readonly files?: readonly string[];
  readonly format?: string;
  /** Values of flags, by name without dashes. */
  readonly flags?: ReadonlyMap<string, FlagValue>;
  /** HCL fragments; they have the last word. */
  readonly fragments?: readonly string[];
  /** A configuration given by a program, as a JSON file would hold it; like a file behind the others. */
  readonly given?: object;
  readonly interfaces?: () => InterfaceAddress[];
}

/** Throws ConfigError. */
export function loadConfig(input: LoadInput): AgentConfig {
  const format = input.format === undefined || input.format === '' ? undefined : input.format;
  if (format !== undefined && format !== 'json' && format !== 'hcl') {
    throw new ConfigError("config: -config-format must be either 'hcl' or 'json'");
  }
  const { lists, scalars } = flagSources(input.flags ?? new Map());
  const files = readFiles(input.files ?? [], format);
  const fragments = (input.fragments ?? []).map((text, i) => parseSource(`flags-${i + 1}.hcl`, text, 'hcl'));
  const given = input.given === undefined ? [] : [objectSource(input.given)];
  const sources: Source[] = [...files.sources, ...given, ...fragments];
  const dev = input.dev === true;
  const raw = mergeRaw([
    ...(dev ? [devDefaults] : []),
    lists,
    ...files.sources.map((source) => source.raw),
    ...given.map((source) => source.raw),
    scalars,
    ...fragments.map((source) => source.raw),
  ]);
  return build({
    raw,
    dev,
    problems: [...sources.flatMap((source) => source.problems), ...writeFromProblems(raw), ...cipherProblems(raw)],
    notices: [...files.warnings, ...sources.flatMap((source) => source.notices)],
    ...(input.interfaces === undefined ? {} : { interfaces: input.interfaces }),
  });
}

function writeFromProblems(raw: RawConfig): string[] {
  return (raw.http_config?.allow_write_http_from ?? [])
    .filter((cidr) => !isCidr(cidr))
    .map((cidr) => `allow_write_http_from: invalid cidr: ${cidr}`);
}

/** Suites of TLS 1.2 and before that can be named; those of 1.3 cannot be chosen. */
const cipherSuites =
  /^TLS_(RSA_WITH_(RC4_128_SHA|3DES_EDE_CBC_SHA|AES_(128|256)_CBC_SHA|AES_128_CBC_SHA256|AES_(128|256)_GCM_SHA(256|384))|ECDHE_(RSA|ECDSA)_WITH_(RC4_128_SHA|AES_(128|256)_CBC_SHA|AES_128_CBC_SHA256|AES_128_GCM_SHA256|AES_256_GCM_SHA384|CHACHA20_POLY1305(_SHA256)?)|ECDHE_RSA_WITH_3DES_EDE_CBC_SHA)$/;

function cipherProblems(raw: RawConfig): string[] {
  const bad = (raw.tls_cipher_suites ?? '')
    .split(',')
    .map((name) => name.trim())
    .find((name) => name !== '' && !cipherSuites.test(name));
  if (bad === undefined) return [];
  return [`tls_cipher_suites: invalid tls cipher suites: unsupported cipher ${JSON.stringify(bad)}`];
}

const gossipOfDev = { gossip_interval: '100ms', probe_interval: '100ms', probe_timeout: '100ms', suspicion_mult: 3 };

/**
 * `-dev`: one server that is quick at everything. Unlike the reference's it keeps its state on disk while it runs, and shows
 * its metrics to Prometheus.
 */
const devDefaults: RawConfig = {
  bind_addr: '127.0.0.1',
  server: true,
  disable_anonymous_signature: true,
  disable_keyring_file: true,
  enable_debug: true,
  ui_config: { enabled: true },
  log_level: 'DEBUG',
  connect: { enabled: true },
  performance: { raft_multiplier: 1 },
  telemetry: { prometheus_retention_time: '60s' },
  gossip_lan: gossipOfDev,
  gossip_wan: gossipOfDev,
};
