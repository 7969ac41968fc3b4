/**
 * What a service must satisfy, wherever it is registered (agent, catalog, file). Each function answers with the texts of
 * what is wrong, in the reference's words; an empty list is a good service.
 */
import type { NodeService, Proxy as ProxyRecord, Upstream } from './catalog.ts';

const pairsMax = 64;
const keyLengthMax = 128;
const valueLengthMax = 512;
const reservedPrefix = 'consul-';
/** The one reserved key that a mesh gateway may carry: it marks gateways that join datacenters. */
const federationKey = 'consul-wan-federation';

/** What is wrong with the metadata of a node or service; undefined when nothing is. Keys are looked at in byte order. */
export function metadataProblem(
  meta: Readonly<Record<string, string>> | null,
  options: { readonly gateway?: boolean } = {},
): string | undefined {
  const keys = Object.keys(meta ?? {}).sort();
  if (keys.length > pairsMax) return `Node metadata cannot contain more than ${pairsMax} key/value pairs`;
  for (const key of keys) {
    const value = meta![key]!;
    const reason = pairProblem(key, value, options.gateway === true);
    if (reason !== undefined) return `Couldn't load metadata pair ('${key}', '${value}'): ${reason}`;
  }
  return undefined;
}

function pairProblem(key: string, value: string, gateway: boolean): string | undefined {
  if (key === '') return 'Key cannot be blank';
  if (!/^[A-Za-z0-9_-]+$/.test(key)) return 'Key contains invalid characters';
  if (key.length > keyLengthMax) return `Key is too long (limit: ${keyLengthMax} characters)`;
  if (key.startsWith(reservedPrefix) && !(gateway && key === federationKey)) {
    return `Key prefix '${reservedPrefix}' is reserved for internal use`;
  }
  if (utf8Length(value) > valueLengthMax) return `Value is too long (limit: ${valueLengthMax} characters)`;
  return undefined;
}

function utf8Length(text: string): number {
  let length = 0;
  for (const char of text) {
    const point = char.codePointAt(0)!;
    length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return length;
}

const weightMax = 65_535;

export function weightsProblem(weights: NodeService['Weights']): string | undefined {
  if (weights.Passing < 1) return 'Passing must be greater than 0';
  if (weights.Warning < 0) return 'Warning must be greater or equal than 0';
  if (weights.Passing > weightMax || weights.Warning > weightMax) return 'DNS Weight must be between 0 and 65535';
  return undefined;
}

/** The part of a service that its kind speaks about. */
export interface KindSubject {
  readonly Kind: string;
  readonly Port: number;
  readonly SocketPath: string;
  readonly Proxy: ProxyRecord | null;
  readonly Connect: { readonly Native: boolean } | null;
}

const gatewayKinds = ['mesh-gateway', 'terminating-gateway', 'ingress-gateway'];

const isGateway = (kind: string): boolean => gatewayKinds.includes(kind);
/** Kinds whose Proxy object means something. */
export const isProxyKind = (kind: string): boolean => kind === 'connect-proxy' || isGateway(kind);

/** Rules by kind; unknown kinds are plain services. `sidecar`: a sidecar is defined inside of it. */
export function kindProblems(service: KindSubject, sidecar = false): string[] {
  if (service.Kind === 'connect-proxy') return proxyProblems(service);
  if (isGateway(service.Kind)) return gatewayProblems(service, sidecar);
  return [];
}

function proxyProblems(service: KindSubject): string[] {
  const problems: string[] = [];
  const proxy = service.Proxy;
  const destination = (proxy?.DestinationServiceName ?? '').trim();
  if (destination === '') problems.push('Proxy.DestinationServiceName must be non-empty for Connect proxy services');
  if (destination === '*')
    problems.push('Proxy.DestinationServiceName must not be a wildcard for Connect proxy services');
  if (service.Port === 0 && service.SocketPath === '') {
    problems.push('Port or SocketPath must be set for a Connect proxy');
  }
  if (service.Connect?.Native === true) problems.push('A Proxy cannot also be Connect Native, only typical services');
  problems.push(...upstreamsProblems(proxy?.Upstreams ?? []), ...exposeProblems(proxy?.Expose.Paths ?? []));
  return problems;
}

function upstreamsProblems(upstreams: readonly Upstream[]): string[] {
  const problems: string[] = [];
  const keys = new Set<string>();
  const binds = new Set<string>();
  for (const upstream of upstreams) {
    problems.push(...upstreamProblems(upstream));
    const key = upstreamKey(upstream);
    if (keys.has(key)) problems.push(`upstreams cannot contain duplicates of ${key}`);
    keys.add(key);
    const bind = upstreamBind(upstream);
    if (bind === undefined) continue;
    if (binds.has(bind)) {
      problems.push(
        `upstreams cannot contain duplicates by local bind address and port or unix path; "${bind}" is specified twice`,
      );
    }
    binds.add(bind);
  }
  return problems;
}

function upstreamProblems(upstream: Upstream): string[] {
  const problems: string[] = [];
  if (!['', 'service', 'prepared_query'].includes(upstream.DestinationType)) {
    problems.push(`unknown upstream destination type: "${upstream.DestinationType}"`);
  }
  if (upstream.DestinationName === '') problems.push('upstream destination name cannot be empty');
  // Those from central configuration are for transparent proxies: nobody dials them by port, `*` stands for any other.
  const declared = !upstream.CentrallyConfigured;
  if (declared && upstream.DestinationName === '*') {
    problems.push('upstream destination name cannot be a wildcard');
  }
  if (declared && upstream.LocalBindPort === 0 && upstream.LocalBindSocketPath === '') {
    problems.push('upstream local bind port or local socket path must be defined and nonzero');
  }
  if (upstream.LocalBindPort !== 0 && upstream.LocalBindSocketPath !== '') {
    problems.push('only one of upstream local bind port or local socket path can be defined and nonzero');
  }
  return problems;
}

function upstreamKey(upstream: Upstream): string {
  const type = upstream.DestinationType === '' ? 'service' : upstream.DestinationType;
  return `[type="${type}", name="${upstream.DestinationName}", namespace="${upstream.DestinationNamespace}", datacenter="${upstream.Datacenter}"]`;
}

function upstreamBind(upstream: Upstream): string | undefined {
  if (upstream.LocalBindSocketPath !== '') return upstream.LocalBindSocketPath;
  if (upstream.LocalBindPort === 0) return undefined;
  return `${upstream.LocalBindAddress === '' ? '127.0.0.1' : upstream.LocalBindAddress}:${upstream.LocalBindPort}`;
}

function exposeProblems(paths: NonNullable<ProxyRecord['Expose']['Paths']>): string[] {
  const problems: string[] = [];
  const ports = new Set<number>();
  for (const path of paths) {
    if (path.Path === '') problems.push('expose.paths: empty path exposed');
    if (ports.has(path.ListenerPort)) problems.push('expose.paths: duplicate listener ports exposed');
    ports.add(path.ListenerPort);
    if (path.ListenerPort <= 0 || path.ListenerPort > 65_535) {
      problems.push(`expose.paths: invalid listener port: ${path.ListenerPort}`);
    }
    if (!['', 'http', 'http2'].includes(path.Protocol)) {
      problems.push(`protocol '${path.Protocol}' not supported for path: ${path.Path}, must be in: [http http2]`);
    }
  }
  return problems;
}

function gatewayProblems(service: KindSubject, sidecar: boolean): string[] {
  const problems: string[] = [];
  if (service.Port === 0 && service.Kind !== 'ingress-gateway') {
    problems.push(`Port must be non-zero for a ${service.Kind}`);
  }
  if (sidecar) problems.push(`A ${service.Kind} cannot have a sidecar service defined`);
  const proxy = service.Proxy;
  if (proxy === null) return problems;
  const given: Record<string, boolean> = {
    DestinationServiceName: proxy.DestinationServiceName !== '',
    DestinationServiceID: proxy.DestinationServiceID !== '',
    LocalServiceAddress: proxy.LocalServiceAddress !== '',
    LocalServicePort: proxy.LocalServicePort !== 0,
    LocalServiceSocketPath: proxy.LocalServiceSocketPath !== '',
    Upstreams: (proxy.Upstreams ?? []).length > 0,
  };
  for (const [name, isGiven] of Object.entries(given)) {
    if (isGiven) problems.push(`The Proxy.${name} configuration is invalid for a ${service.Kind}`);
  }
  return problems;
}

/** A list of problems as one text: `2 errors occurred:\n\t* a\n\t* b\n\n`. */
export function problemList(problems: readonly string[]): string {
  const head = problems.length === 1 ? '1 error occurred' : `${problems.length} errors occurred`;
  return `${head}:\n${problems.map((problem) => `\t* ${problem}\n`).join('')}\n`;
}

const anyAddresses = ['0.0.0.0', '::', '[::]'];
export const isAnyAddress = (address: string): boolean => anyAddresses.includes(address);

/** `lan_ipv4` and its kin must be of the family that they name (`wan_ipv6` is not looked at). */
export function taggedAddressProblem(service: Pick<NodeService, 'TaggedAddresses'>): string | undefined {
  for (const [tag, family] of [
    ['lan_ipv4', 4],
    ['wan_ipv4', 4],
    ['lan_ipv6', 6],
  ] as const) {
    const address = service.TaggedAddresses?.[tag]?.Address;
    if (address !== undefined && ipFamily(address) !== family) {
      return `Service tagged address "${tag}" must be a valid ipv${family} address`;
    }
  }
  return undefined;
}

/** 4, 6, or 0 for what is no IP address. */
export function ipFamily(address: string): 0 | 4 | 6 {
  if (/^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(address)) return 4;
  return isIpv6(address) ? 6 : 0;
}

function isIpv6(address: string): boolean {
  const [text = '', zone] = address.split('%', 2);
  if (zone === '' || !text.includes(':')) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = (half: string): number => {
    if (half === '') return 0;
    const parts = half.split(':');
    const last = parts.at(-1)!;
    const v4 = last.includes('.') && ipFamily(last) === 4;
    const plain = v4 ? parts.slice(0, -1) : parts;
    if (!plain.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))) return Number.NaN;
    return plain.length + (v4 ? 2 : 0);
  };
  const count = halves.map(groups).reduce((sum, n) => sum + n, 0);
  return halves.length === 2 ? count <= 7 : count === 8;
}
