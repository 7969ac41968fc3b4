/**
 * The agent's answers as far as a sidecar reads them: decoders from JSON of unknown shape to the parts of a snapshot.
 * They throw with the reason when something the proxy relies on is missing; the watch turns that into a logged failure
 * and keeps what it had.
 */
import { isObject, readProxyOptions, readUpstreamOptions } from './options.ts';
import type {
  Endpoint,
  Leaf,
  ListenAddress,
  ProxyConfig,
  TrustBundle,
  UpstreamConfig,
  UpstreamKey,
} from './snapshot.ts';

/** What stands in a registration but cannot be served; the rest of it is. */
export interface ConfigProblem {
  readonly what: string;
  readonly reason: string;
}
export interface DecodedConfig {
  readonly config: ProxyConfig;
  readonly problems: readonly ConfigProblem[];
}

/** `GET /v1/agent/service/:id` of a proxy registration. `bindAddress`: where to listen when it names no address. */
export function decodeRegistration(json: unknown, bindAddress = '0.0.0.0'): DecodedConfig {
  const service = object(json, 'service');
  if (service.Kind !== 'connect-proxy') throw new Error('service is not a valid connect proxy');
  const proxy = object(service.Proxy, 'Proxy');
  const destination = text(proxy.DestinationServiceName, 'Proxy.DestinationServiceName');
  if (destination === '') throw new Error('Proxy.DestinationServiceName is empty');
  const config = isObject(proxy.Config) ? proxy.Config : {};
  const problems: ConfigProblem[] = [];

  const options = readProxyOptions(config);
  if (!options.ok) problems.push({ what: 'Proxy.Config', reason: `${options.error}: the defaults are used` });
  const fallback = readProxyOptions({});
  if (!fallback.ok) throw new Error(fallback.error);

  const upstreams: UpstreamConfig[] = [];
  const transparent = proxy.Mode === 'transparent';
  if (transparent) problems.push({ what: 'Proxy.Mode', reason: transparentRefusal });
  for (const raw of list(proxy.Upstreams)) {
    const given = object(raw, 'Proxy.Upstreams');
    // Central configuration tells a transparent proxy of upstreams that it did not declare: they have no type and no port.
    if (transparent && optionalText(given.DestinationType) === '' && upstreamListen(given) === null) continue;
    const upstream = decodeUpstream(given, problems);
    if (upstream !== null) upstreams.push(upstream);
  }
  const application = applicationOf(proxy);
  const publicListener = publicListenerOf(service, config, bindAddress);
  if (publicListener !== null && application === null) {
    const reason = `service ${destination} has no port from 1 to 65535: nobody can be let in. Can't start the public listener.`;
    problems.push({ what: 'public listener', reason });
  }
  return {
    config: {
      service: destination,
      publicListener: application === null ? null : publicListener,
      application,
      options: options.ok ? options.value : fallback.value,
      upstreams,
    },
    problems,
  };
}

/** What can be listened at and dialled. Registrations may say any number, and Node throws at one that is none. */
function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
}

/** Peers are told the registered address and port; an explicit `bind_address`/`bind_port` may differ (NAT, containers). */
function publicListenerOf(
  service: Record<string, unknown>,
  config: Record<string, unknown>,
  bindAddress: string,
): ListenAddress | null {
  const address = optionalText(config.bind_address) || optionalText(service.Address) || bindAddress;
  const port = Number(config.bind_port ?? service.Port ?? 0);
  return isPort(port) ? { kind: 'tcp', address, port } : null;
}

function applicationOf(proxy: Record<string, unknown>): ListenAddress | null {
  const path = optionalText(proxy.LocalServiceSocketPath);
  if (path !== '') return { kind: 'unix', path };
  const port = Number(proxy.LocalServicePort ?? 0);
  if (!isPort(port)) return null;
  return { kind: 'tcp', address: optionalText(proxy.LocalServiceAddress) || '127.0.0.1', port };
}

function decodeUpstream(raw: Record<string, unknown>, problems: ConfigProblem[]): UpstreamConfig | null {
  const destinationName = text(raw.DestinationName, 'DestinationName');
  const refuse = (reason: string): null => {
    problems.push({ what: `upstream ${destinationName}`, reason: `${reason} Can't start upstream.` });
    return null;
  };
  const destinationType = optionalText(raw.DestinationType) || 'service';
  if (destinationType !== 'service' && destinationType !== 'prepared_query') {
    return refuse(`unknown destination type "${destinationType}".`);
  }
  const listen = upstreamListen(raw);
  if (listen === null) return refuse('upstream has no local_bind_port.');
  const options = readUpstreamOptions(isObject(raw.Config) ? raw.Config : {});
  if (!options.ok) return refuse(`${options.error}.`);
  if (destinationType === 'prepared_query') return refuse(preparedQueryRefusal);
  const datacenter = optionalText(raw.Datacenter);
  return {
    key: upstreamKey(destinationName, datacenter),
    destinationType,
    destinationName,
    datacenter,
    listen,
    ...options.value,
  };
}

const transparentRefusal =
  'mode transparent is not supported by the built-in proxy: it serves the upstreams that are declared.';

/** Said wherever a prepared query is asked for: in a registration and on the command line. */
export const preparedQueryRefusal = 'upstreams of type prepared_query are not supported by the built-in proxy.';

export function upstreamKey(destinationName: string, datacenter: string): UpstreamKey {
  return datacenter === '' ? `service/${destinationName}` : `service/${destinationName}@${datacenter}`;
}

function upstreamListen(raw: Record<string, unknown>): ListenAddress | null {
  const path = optionalText(raw.LocalBindSocketPath);
  if (path !== '') {
    const mode = Number.parseInt(optionalText(raw.LocalBindSocketMode) || '0600', 8);
    return { kind: 'unix', path, mode: Number.isNaN(mode) ? 0o600 : mode };
  }
  const port = Number(raw.LocalBindPort ?? 0);
  if (!isPort(port)) return null;
  return { kind: 'tcp', address: optionalText(raw.LocalBindAddress) || '127.0.0.1', port };
}

/** `GET /v1/agent/connect/ca/roots`. */
export function decodeRoots(json: unknown): TrustBundle {
  const answer = object(json, 'roots');
  const rootsPem = list(answer.Roots).map((root) => text(object(root, 'Roots').RootCert, 'RootCert'));
  if (rootsPem.length === 0) throw new Error('no roots: the mesh has no certificate authority yet');
  return { trustDomain: text(answer.TrustDomain, 'TrustDomain'), rootsPem };
}

/** `GET /v1/agent/connect/ca/leaf/:service`. */
export function decodeLeaf(json: unknown): Leaf {
  const leaf = object(json, 'leaf');
  const validBeforeMs = Date.parse(text(leaf.ValidBefore, 'ValidBefore'));
  if (Number.isNaN(validBeforeMs)) throw new Error('ValidBefore is not a time');
  return {
    certPem: text(leaf.CertPEM, 'CertPEM'),
    keyPem: text(leaf.PrivateKeyPEM, 'PrivateKeyPEM'),
    uri: text(leaf.ServiceURI, 'ServiceURI'),
    validBeforeMs,
  };
}

/**
 * `GET /v1/health/connect/:name?passing`. An instance without a usable address or that is neither proxy nor native is
 * left out: it cannot be dialled, and the others can.
 */
export function decodeEndpoints(json: unknown): readonly Endpoint[] {
  return list(json).flatMap((raw) => {
    const entry = object(raw, 'entry');
    const node = object(entry.Node, 'Node');
    const service = object(entry.Service, 'Service');
    const address = optionalText(service.Address) || optionalText(node.Address);
    const port = Number(service.Port ?? 0);
    const name = identityOf(service);
    if (address === '' || !isPort(port) || name === '') return [];
    const weights = isObject(service.Weights) ? service.Weights : {};
    return [
      {
        id: `${optionalText(node.Node)}/${optionalText(service.ID)}`,
        address,
        port,
        weight: Math.max(1, Number(weights.Passing ?? 1) || 1),
        service: name,
        datacenter: optionalText(node.Datacenter),
      },
    ];
  });
}

function identityOf(service: Record<string, unknown>): string {
  const proxy = isObject(service.Proxy) ? service.Proxy : {};
  if (service.Kind === 'connect-proxy') return optionalText(proxy.DestinationServiceName);
  const connect = isObject(service.Connect) ? service.Connect : {};
  return connect.Native === true ? optionalText(service.Service) : '';
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (!isObject(value)) throw new Error(`${what} is not an object`);
  return value;
}

/** Go prints an empty list as null. */
function list(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw new Error('a list was expected');
  return value;
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Error(`${what} is not a string`);
  return value;
}

function optionalText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
