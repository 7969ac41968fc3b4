/**
 * A proxy's registration filled up with central configuration. What the registration says itself always holds; an entry
 * fills what it leaves out. The result is what the agent shows, what the catalog holds and what proxies run on.
 */
import {
  isProxyKind,
  type NodeService,
  type Proxy as ProxyRecord,
  proxy as proxySchema,
  type ServiceConfig,
  type ServiceConfigRequest,
  type Upstream,
  type UpstreamDefaults,
} from '../structs/index.ts';

const noUpstream: Omit<Upstream, 'DestinationName' | 'Config' | 'MeshGateway'> = {
  DestinationType: '',
  DestinationNamespace: 'default',
  Datacenter: '',
  LocalBindAddress: '',
  LocalBindPort: 0,
  LocalBindSocketPath: '',
  LocalBindSocketMode: '',
  CentrallyConfigured: true,
};

/** What to ask of the servers for a registration; undefined for services that are no proxy, which have no such part. */
export function serviceConfigRequest(service: NodeService): ServiceConfigRequest | undefined {
  if (!isProxyKind(service.Kind)) return undefined;
  const { Proxy: proxy } = service;
  const upstreams = (proxy?.Upstreams ?? []).filter(isService).map((upstream) => upstream.DestinationName);
  return {
    service: service.Kind === 'connect-proxy' ? (proxy?.DestinationServiceName ?? '') : service.Service,
    upstreams: [...new Set(upstreams)].sort(),
    mode: proxy?.Mode ?? '',
    meshGateway: proxy?.MeshGateway.Mode ?? '',
  };
}

export function mergeServiceConfig(service: NodeService, central: ServiceConfig): NodeService {
  const given = service.Proxy ?? proxySchema.zero();
  const Mode = given.Mode || central.Mode;
  const merged: ProxyRecord = {
    ...given,
    Mode,
    TransparentProxy: {
      OutboundListenerPort:
        given.TransparentProxy.OutboundListenerPort || central.TransparentProxy.OutboundListenerPort,
      DialedDirectly: given.TransparentProxy.DialedDirectly || central.TransparentProxy.DialedDirectly,
    },
    Config: filled(given.Config, central.ProxyConfig, isZero),
    MeshGateway: { Mode: given.MeshGateway.Mode || central.MeshGateway.Mode },
    Expose: {
      Checks: given.Expose.Checks || central.Expose.Checks,
      Paths: given.Expose.Paths?.length ? given.Expose.Paths : central.Expose.Paths,
    },
    Upstreams: mergeUpstreams(given.Upstreams, central.Upstreams, Mode === 'transparent'),
  };
  return { ...service, Proxy: merged };
}

/** A transparent proxy reaches whatever there is: it is told also of those upstreams that it did not declare. */
function mergeUpstreams(
  given: ProxyRecord['Upstreams'],
  central: readonly UpstreamDefaults[],
  transparent: boolean,
): ProxyRecord['Upstreams'] {
  const byName = new Map(central.map((upstream) => [upstream.DestinationName, upstream]));
  const declared = (given ?? []).map((upstream): Upstream => {
    const defaults = isService(upstream) ? byName.get(upstream.DestinationName) : undefined;
    if (defaults === undefined) return upstream;
    return {
      ...upstream,
      Config: filled(upstream.Config, defaults.Config, (value) => value === undefined),
      MeshGateway: { Mode: upstream.MeshGateway.Mode || defaults.MeshGateway.Mode },
    };
  });
  const names = new Set(declared.filter(isService).map((upstream) => upstream.DestinationName));
  const others = transparent ? central.filter((upstream) => !names.has(upstream.DestinationName)) : [];
  const all = [...declared, ...others.map((upstream): Upstream => ({ ...noUpstream, ...upstream }))];
  return all.length === 0 ? given : all;
}

const isService = ({ DestinationType }: Upstream): boolean => DestinationType === '' || DestinationType === 'service';

type Opaque = NonNullable<ProxyRecord['Config']>;

/** `given` with what it does not say taken from `central`. */
function filled(
  given: Opaque | null,
  central: Opaque,
  unsaid: (value: Opaque[string] | undefined) => boolean,
): Opaque | null {
  const missing = Object.entries(central).filter(([key]) => unsaid(own(given ?? {}, key)));
  return missing.length === 0 ? given : { ...given, ...Object.fromEntries(missing) };
}

/** Keys are names that people choose, `constructor` too. */
const own = (map: Opaque, key: string): Opaque[string] | undefined => (Object.hasOwn(map, key) ? map[key] : undefined);

/** Counts as not said: tools print absent numbers, texts and switches as these. */
function isZero(value: Opaque[string] | undefined): boolean {
  if (value === undefined || value === null || value === false) return true;
  if (typeof value === 'string' || Array.isArray(value)) return value.length === 0;
  const isObject = typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
  return isObject ? Object.keys(value).length === 0 : Number(value) === 0;
}
