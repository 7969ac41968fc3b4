/**
 * The settings of the built-in proxy, declared once: key, default, bounds, reason. They come from `Proxy.Config` of a
 * registration (and from an upstream's own `Config`); numbers may arrive as text, as old files wrote them.
 */
import { err, ok, type Result } from '../std/result.ts';
import type { ProxyOptions } from './snapshot.ts';

interface Setting {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: 'ms' | 'connections';
  readonly help: string;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Keys of `Proxy.Config`. */
export const proxySettings = {
  local_connect_timeout_ms: {
    default: 1_000,
    min: 1,
    max: dayMs,
    unit: 'ms',
    help: 'Limit for dialling the application. It is on this host: a second is long.',
  },
  handshake_timeout_ms: {
    default: 10_000,
    min: 1,
    max: dayMs,
    unit: 'ms',
    help: 'Limit for a client to finish its TLS handshake, so that an idle one cannot hold a connection for ever.',
  },
  idle_timeout_ms: {
    default: 0,
    min: 0,
    max: 30 * dayMs,
    unit: 'ms',
    help: 'Closes connections that carried nothing for so long. 0 = never: databases keep quiet pools for hours.',
  },
  max_inbound_connections: {
    default: 0,
    min: 0,
    max: 1_000_000,
    unit: 'connections',
    help: 'Inbound connections at once, handshakes included; more are refused. 0 = no limit but the file table.',
  },
} as const satisfies Record<string, Setting>;

/** Keys of an upstream's `Config`. */
export const upstreamSettings = {
  connect_timeout_ms: {
    default: 10_000,
    min: 1,
    max: dayMs,
    unit: 'ms',
    help: 'Limit for reaching an instance: TCP, TLS and identity, over all the instances tried.',
  },
  max_connections: {
    default: 0,
    min: 0,
    max: 1_000_000,
    unit: 'connections',
    help: 'Connections at once through this upstream; more are refused. 0 = no limit.',
  },
} as const satisfies Record<string, Setting>;

export function readProxyOptions(config: Readonly<Record<string, unknown>>): Result<ProxyOptions, string> {
  const read = reader(proxySettings, config);
  const options = {
    localConnectTimeoutMs: read('local_connect_timeout_ms'),
    handshakeTimeoutMs: read('handshake_timeout_ms'),
    idleTimeoutMs: read('idle_timeout_ms'),
    inboundConnectionsMax: read('max_inbound_connections'),
  };
  // TLS 1.2 is accepted from older peers unless it is turned off; between two Heddle proxies 1.3 is always chosen.
  const tlsMinVersion = tlsMinVersions[String(config.tls_min_version ?? 'TLSv1_2')];
  if (tlsMinVersion === undefined) read.errors.push(`tls_min_version must be TLSv1_2 or TLSv1_3`);
  if (read.errors.length > 0 || tlsMinVersion === undefined) return err(read.errors.join('; '));
  return ok({ ...options, tlsMinVersion });
}

export interface UpstreamOptions {
  readonly connectTimeoutMs: number;
  readonly connectionsMax: number;
}

export function readUpstreamOptions(config: Readonly<Record<string, unknown>>): Result<UpstreamOptions, string> {
  const limits = isObject(config.limits) ? config.limits : {};
  // Files say `max_connections`, central configuration hands on its own name.
  const max_connections = limits.max_connections ?? limits.MaxConnections;
  const read = reader(upstreamSettings, { max_connections, ...config });
  const options = { connectTimeoutMs: read('connect_timeout_ms'), connectionsMax: read('max_connections') };
  return read.errors.length > 0 ? err(read.errors.join('; ')) : ok(options);
}

const tlsMinVersions: Readonly<Record<string, ProxyOptions['tlsMinVersion']>> = {
  TLSv1_2: 'TLSv1.2',
  TLSv1_3: 'TLSv1.3',
  TLS_AUTO: 'TLSv1.2',
};

function reader<K extends string>(settings: Record<K, Setting>, config: Readonly<Record<string, unknown>>) {
  const errors: string[] = [];
  const read = (key: K): number => {
    const setting = settings[key];
    const raw = config[key];
    if (raw === undefined || raw === null) return setting.default;
    const value = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw;
    if (typeof value === 'number' && Number.isInteger(value) && value >= setting.min && value <= setting.max) {
      return value;
    }
    errors.push(`${key} must be a whole number of ${setting.unit} from ${setting.min} to ${setting.max}`);
    return setting.default;
  };
  return Object.assign(read, { errors });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
