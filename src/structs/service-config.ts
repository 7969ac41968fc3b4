/**
 * Central configuration of one service, as a server resolves it from proxy-defaults and service-defaults: what a proxy's
 * registration is filled up with where it says nothing itself.
 */
import type { Proxy as ProxyRecord, Upstream } from './catalog.ts';

/** Name under which the defaults of all upstreams are told, for those that nobody declared. */
export const anyUpstream = '*';

export interface ServiceConfigRequest {
  /** The service behind the sidecar; of a gateway its own name. */
  readonly service: string;
  /** Declared upstreams that are services: names in order, each once. */
  readonly upstreams: readonly string[];
  /** Of the registration: '' when it says nothing. */
  readonly mode: string;
  /** Mode of its mesh gateway: '' when it says nothing. */
  readonly meshGateway: string;
}

export interface UpstreamDefaults {
  readonly DestinationName: string;
  /** Without the mesh gateway's mode. */
  readonly Config: NonNullable<Upstream['Config']>;
  readonly MeshGateway: Upstream['MeshGateway'];
}

export interface ServiceConfig {
  readonly ProxyConfig: NonNullable<ProxyRecord['Config']>;
  readonly Mode: string;
  readonly TransparentProxy: ProxyRecord['TransparentProxy'];
  readonly MeshGateway: ProxyRecord['MeshGateway'];
  readonly Expose: ProxyRecord['Expose'];
  /** By name, `anyUpstream` last. */
  readonly Upstreams: readonly UpstreamDefaults[];
}
