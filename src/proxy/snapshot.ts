/**
 * What a sidecar must know to do its work, as one immutable value. The source builds it out of watches; the proxy
 * compares the parts by reference with what it runs, and changes only what differs.
 */
import type { SpiffeId } from '../ca/identity/index.ts';

export interface ProxySnapshot {
  readonly config: ProxyConfig | null;
  readonly trust: TrustBundle | null;
  readonly leaf: Leaf | null;
  readonly authorize: Authorize | null;
  /** Healthy instances by upstream key; a missing key means that none was asked for or answered yet. */
  readonly endpoints: ReadonlyMap<UpstreamKey, readonly Endpoint[]>;
}

/** `service/db`, `service/db@dc2`: what an upstream leads to. Two listeners may lead to the same. */
export type UpstreamKey = string;

export interface ProxyConfig {
  /** The service whose identity this proxy carries. */
  readonly service: string;
  /** Where peers come in; null = this proxy accepts nobody. */
  readonly publicListener: ListenAddress | null;
  /** The application behind the public listener. */
  readonly application: ListenAddress | null;
  readonly options: ProxyOptions;
  readonly upstreams: readonly UpstreamConfig[];
}

export type ListenAddress =
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string; readonly mode?: number | undefined };

export interface UpstreamConfig {
  readonly key: UpstreamKey;
  readonly destinationType: 'service' | 'prepared_query';
  readonly destinationName: string;
  readonly datacenter: string;
  readonly listen: ListenAddress;
  readonly connectTimeoutMs: number;
  readonly connectionsMax: number;
}

export interface ProxyOptions {
  readonly localConnectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly inboundConnectionsMax: number;
  readonly tlsMinVersion: 'TLSv1.2' | 'TLSv1.3';
}

export interface TrustBundle {
  readonly trustDomain: string;
  /** Every root that is still trusted, as PEM; rotated ones stay until their leaves have expired. */
  readonly rootsPem: readonly string[];
}

export interface Leaf {
  /** The leaf, followed by the intermediates a peer may need. */
  readonly certPem: string;
  readonly keyPem: string;
  readonly uri: string;
  readonly validBeforeMs: number;
}

export interface Endpoint {
  /** Stable name of the instance: `node/service id`. */
  readonly id: string;
  readonly address: string;
  readonly port: number;
  /** At least 1; an instance of weight 2 gets twice the connections of one of weight 1. */
  readonly weight: number;
  /** Who must answer there. */
  readonly service: string;
  readonly datacenter: string;
}

export interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
}

/** May this identity talk to our service? Constant time, no I/O. */
export type Authorize = (source: SpiffeId) => Decision;

export function showAddress(at: ListenAddress): string {
  if (at.kind === 'unix') return `unix:${at.path}`;
  return at.address.includes(':') ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`;
}
