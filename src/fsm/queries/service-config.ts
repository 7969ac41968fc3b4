/**
 * What central configuration says of one service: proxy-defaults for all, then the service's own service-defaults, then
 * its upstreams. Watches exactly the entries that were looked at; the index is that of all config entries.
 */
import type { ConfigEntry, ProxyDefaults, ServiceDefaults, UpstreamConfig } from '../../structs/config-entry.ts';
import { configEntryKey } from '../../structs/config-entry-rules.ts';
import {
  anyUpstream,
  type ServiceConfig,
  type ServiceConfigRequest,
  type UpstreamDefaults,
} from '../../structs/service-config.ts';
import { query } from '../contract.ts';
import { Refusal } from '../errors.ts';

type Config = UpstreamDefaults['Config'];

/** The entries as the resolution asks for them. */
interface Entries {
  readonly proxies: ProxyDefaults | undefined;
  service(name: string): ServiceDefaults | undefined;
}

/** Refused (`failed`) while proxy-defaults name a protocol that is no text. */
export const configEntryResolve = query<ServiceConfigRequest, ServiceConfig>({
  name: 'configEntry.resolve',
  run(tx, request) {
    const entries = tx.table('configEntries');
    const entry = (kind: string, name: string): ConfigEntry | undefined => entries.get(configEntryKey(kind, name));
    const value = resolve(request, {
      proxies: entry('proxy-defaults', '') as ProxyDefaults | undefined,
      service: (name) => entry('service-defaults', name) as ServiceDefaults | undefined,
    });
    return { index: tx.unwatched.table('configEntries').index(), value };
  },
});

function resolve(request: ServiceConfigRequest, entries: Entries): ServiceConfig {
  const { proxies } = entries;
  const own = entries.service(request.service);
  const commonProtocol = protocolOf(proxies);
  const Mode = own?.Mode || proxies?.Mode || '';
  return {
    ProxyConfig: {
      ...proxies?.Config,
      ...(own === undefined || own.Protocol === '' ? {} : { protocol: own.Protocol }),
    },
    Mode,
    TransparentProxy: {
      OutboundListenerPort:
        own?.TransparentProxy.OutboundListenerPort || proxies?.TransparentProxy.OutboundListenerPort || 0,
      DialedDirectly: own?.TransparentProxy.DialedDirectly || proxies?.TransparentProxy.DialedDirectly || false,
    },
    MeshGateway: { Mode: own?.MeshGateway.Mode || proxies?.MeshGateway.Mode || '' },
    Expose: {
      Checks: own?.Expose.Checks || proxies?.Expose.Checks || false,
      Paths: own?.Expose.Paths?.length ? own.Expose.Paths : (proxies?.Expose.Paths ?? null),
    },
    Upstreams:
      request.upstreams.length === 0 && request.mode !== 'transparent' && Mode !== 'transparent'
        ? []
        : upstreamsOf(request, own, commonProtocol, entries),
  };
}

/** A text, '' when nothing is said. Anything else is nothing that a proxy could be told. */
function protocolOf(proxies: ProxyDefaults | undefined): string {
  const protocol = proxies?.Config?.protocol;
  if (protocol === undefined || typeof protocol === 'string') return protocol ?? '';
  throw new Refusal('failed', `invalid protocol type ${goTypeOf(protocol)}`);
}

/** As tools know it. */
function goTypeOf(value: unknown): string {
  if (value === null) return '<nil>';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return '[]interface {}';
  return typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype
    ? 'map[string]interface {}'
    : 'float64';
}

/** The declared ones and those that the service's own entry names, by name; then the defaults for any other. */
function upstreamsOf(
  request: ServiceConfigRequest,
  own: ServiceDefaults | undefined,
  commonProtocol: string,
  entries: Entries,
): UpstreamDefaults[] {
  const defaults = own?.UpstreamConfig?.Defaults ?? undefined;
  const overrides = new Map((own?.UpstreamConfig?.Overrides ?? []).map((override) => [override.Name, override]));
  const names = [...new Set([...request.upstreams, ...overrides.keys()])].sort();
  const resolved = names.map((name): UpstreamDefaults => {
    const override = overrides.get(name);
    const protocol = entries.service(name)?.Protocol || commonProtocol;
    return {
      DestinationName: name,
      Config: { ...(protocol === '' ? {} : { protocol }), ...configOf(defaults), ...configOf(override) },
      // What the registration says for all its upstreams is nearer than the defaults, the override for one is nearest.
      MeshGateway: { Mode: override?.MeshGateway.Mode || request.meshGateway || defaults?.MeshGateway.Mode || '' },
    };
  });
  const others = { DestinationName: anyUpstream, Config: configOf(defaults), MeshGateway: gatewayOf(defaults) };
  return [...resolved, others].filter(saysSomething);
}

const gatewayOf = (upstream: UpstreamConfig | undefined): UpstreamDefaults['MeshGateway'] => ({
  Mode: upstream?.MeshGateway.Mode ?? '',
});

const saysSomething = ({ Config, MeshGateway }: UpstreamDefaults): boolean =>
  Object.keys(Config).length > 0 || MeshGateway.Mode !== '';

/** An upstream's settings by the keys that proxies read. */
function configOf(upstream: UpstreamConfig | undefined): Config {
  if (upstream === undefined) return {};
  const { EnvoyListenerJSON, EnvoyClusterJSON, Protocol, ConnectTimeoutMs, Limits, PassiveHealthCheck } = upstream;
  return {
    ...(EnvoyListenerJSON === '' ? {} : { envoy_listener_json: EnvoyListenerJSON }),
    ...(EnvoyClusterJSON === '' ? {} : { envoy_cluster_json: EnvoyClusterJSON }),
    ...(Protocol === '' ? {} : { protocol: Protocol }),
    ...(ConnectTimeoutMs === 0 ? {} : { connect_timeout_ms: ConnectTimeoutMs }),
    ...(Limits === null ? {} : { limits: without(Limits, null) }),
    ...(PassiveHealthCheck === null ? {} : { passive_health_check: without(PassiveHealthCheck, 0) }),
  };
}

/** The fields that say something: `nothing` is what an absent one holds. */
function without(fields: Readonly<Record<string, number | null>>, nothing: 0 | null): Record<string, number> {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, number] => field[1] !== nothing && field[1] !== null),
  );
}
