/**
 * The configuration of the built-in provider, `consul`: what an operator may set, the defaults, the ranges, and which
 * changes mean a new root.
 *
 * A new root is made when the configured key or root certificate changes, and only then: life times, rates and even the key
 * type can be changed without rotating (a new key type counts for the next key). A private key is never shown again after
 * it was set: a mark stands in its place, and a configuration that comes back with the mark means "as it was", so reading,
 * editing and writing back the configuration does not rotate by accident.
 */
import { createHash } from 'node:crypto';
import { formatDuration, hour, millisecond } from '../../std/duration.ts';
import { ok } from '../../std/result.ts';
import { type CaResult, caErr } from '../errors.ts';
import { type KeySpec, type KeyType, keySpecProblem } from '../keys.ts';
import { WeakDecoder } from './weak-decode.ts';

export type ProviderConfig = Readonly<Record<string, unknown>>;

export interface ConsulProviderConfig {
  readonly leafCertTtlMs: number;
  readonly intermediateCertTtlMs: number;
  /** Null: ten calendar years. */
  readonly rootCertTtlMs: number | null;
  readonly keySpec: KeySpec;
  /** PEM, a mark, or ''. */
  readonly privateKey: string;
  readonly rootCert: string;
  /** Signatures a second at the leader; 0: no limit. */
  readonly csrMaxPerSecond: number;
  /** Signatures at one time, heeded only when `csrMaxPerSecond` is 0; 0: no limit. */
  readonly csrMaxConcurrent: number;
  /** For tests: refuse to sign a successor. */
  readonly disableCrossSigning: boolean;
}

const hourMs = hour / millisecond;
const leafTtlMinMs = hourMs;
const leafTtlMaxMs = 8760 * hourMs;
const intermediateTtlMinMs = 3 * hourMs;

const keys = [
  'LeafCertTTL',
  'IntermediateCertTTL',
  'RootCertTTL',
  'PrivateKeyType',
  'PrivateKeyBits',
  'PrivateKey',
  'RootCert',
  'CSRMaxPerSecond',
  'CSRMaxConcurrent',
  'SkipValidate',
  'DisableCrossSigning',
] as const;

/** What a datacenter starts with, and what `ca get-config` prints before anybody set anything. */
export const initialProviderConfig: ProviderConfig = { IntermediateCertTTL: '8760h', LeafCertTTL: '72h' };

export function decodeProviderConfig(config: ProviderConfig): CaResult<ConsulProviderConfig> {
  const decoder = new WeakDecoder(config, keys);
  const decoded: ConsulProviderConfig = {
    leafCertTtlMs: decoder.durationMs('LeafCertTTL', 72 * hourMs),
    intermediateCertTtlMs: decoder.durationMs('IntermediateCertTTL', 8760 * hourMs),
    rootCertTtlMs: decoder.durationMs('RootCertTTL', 0) || null,
    keySpec: {
      type: decoder.string('PrivateKeyType', 'ec') as KeyType,
      bits: decoder.int('PrivateKeyBits', 256),
    },
    privateKey: decoder.string('PrivateKey'),
    rootCert: decoder.string('RootCert'),
    csrMaxPerSecond: decoder.float('CSRMaxPerSecond', 50),
    csrMaxConcurrent: decoder.int('CSRMaxConcurrent', 0),
    disableCrossSigning: decoder.bool('DisableCrossSigning'),
  };
  const skipValidate = decoder.bool('SkipValidate');
  if (decoder.errors.length > 0) {
    const list = [...decoder.errors].sort().join('\n');
    return caErr('config', `error decoding config: ${decoder.errors.length} error(s) decoding:\n\n${list}`);
  }
  if (decoded.privateKey === '' && decoded.rootCert !== '') {
    return caErr('config', 'must provide a private key when providing a root cert');
  }
  const problem = impossible(decoded) ?? (skipValidate ? null : outOfRange(decoded));
  return problem === null ? ok(decoded) : caErr('config', problem);
}

/** Nonsense even for who skips the range checks. */
function impossible(config: ConsulProviderConfig): string | null {
  const { leafCertTtlMs, intermediateCertTtlMs, csrMaxPerSecond, csrMaxConcurrent, keySpec } = config;
  if (!(leafCertTtlMs >= 1_000) || !(intermediateCertTtlMs >= 1_000)) return 'cert TTLs must be at least 1s';
  if (!(csrMaxPerSecond >= 0) || csrMaxConcurrent < 0) return 'CSR limits must not be negative';
  return keySpecProblem(keySpec.type, keySpec.bits);
}

function outOfRange(config: ConsulProviderConfig): string | null {
  const { leafCertTtlMs, intermediateCertTtlMs, rootCertTtlMs } = config;
  const text = (ms: number): string => formatDuration(ms * millisecond);
  if (leafCertTtlMs < leafTtlMinMs) return `leaf cert TTL must be greater or equal than ${text(leafTtlMinMs)}`;
  if (leafCertTtlMs > leafTtlMaxMs) return `leaf cert TTL must be less than ${text(leafTtlMaxMs)}`;
  if (intermediateCertTtlMs < intermediateTtlMinMs) return 'Intermediate Cert TTL must be greater or equal than 3h';
  if (intermediateCertTtlMs < 3 * leafCertTtlMs) {
    return `Intermediate Cert TTL must be greater or equal than 3 * LeafCertTTL (>=${text(3 * leafCertTtlMs)}).`;
  }
  if (rootCertTtlMs !== null && rootCertTtlMs <= intermediateCertTtlMs) {
    return `root cert TTL is set and is not greater than intermediate cert ttl. root cert ttl: ${text(rootCertTtlMs)}, intermediate cert ttl: ${text(intermediateCertTtlMs)}`;
  }
  return null;
}

const mark = 'hidden:sha256:';

/** Stands for a private key where the configuration is stored and shown. Tells whether two keys are the same, no more. */
export function keyMark(privateKey: string): string {
  if (privateKey === '' || privateKey.startsWith(mark)) return privateKey;
  return mark + createHash('sha256').update(privateKey).digest('hex');
}

export function isKeyMark(privateKey: string): boolean {
  return privateKey.startsWith(mark);
}

/** The configuration as it may be stored and shown. */
export function withoutSecrets(config: ProviderConfig): ProviderConfig {
  const entries = Object.entries(config).map(([key, value]) =>
    key.toLowerCase() === 'privatekey' && typeof value === 'string' ? [key, keyMark(value)] : [key, value],
  );
  return Object.fromEntries(entries) as ProviderConfig;
}

/** Names the configured key and root. Two configurations of one id share their root; another id means a rotation. */
export function providerId(config: ConsulProviderConfig, isPrimary: boolean): string {
  return createHash('sha256')
    .update(`${keyMark(config.privateKey)},${config.rootCert},${isPrimary}`)
    .digest('hex');
}

const fileKeys: Readonly<Record<string, string>> = {
  private_key: 'PrivateKey',
  root_cert: 'RootCert',
  intermediate_cert_ttl: 'IntermediateCertTTL',
  leaf_cert_ttl: 'LeafCertTTL',
  root_cert_ttl: 'RootCertTTL',
  csr_max_per_second: 'CSRMaxPerSecond',
  csr_max_concurrent: 'CSRMaxConcurrent',
  private_key_type: 'PrivateKeyType',
  private_key_bits: 'PrivateKeyBits',
};

/** `connect { ca_config {} }` of an agent's file uses snake_case; over HTTP such keys would mean nothing. */
export function fromFileKeys(config: ProviderConfig): ProviderConfig {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [fileKeys[key.toLowerCase()] ?? key, value]));
}
