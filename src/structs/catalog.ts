/**
 * The catalog's records: nodes, the services on them, and their checks, with their JSON in the form of the catalog and
 * health endpoints. (The agent's own endpoints print services in another form: service-definition.ts.)
 */
import {
  bool,
  duration,
  field,
  type Infer,
  index,
  int,
  json,
  list,
  map,
  nullable,
  omitEmpty,
  record,
  string,
} from './schema/index.ts';

export const serviceAddress = record('ServiceAddress', { Address: string(), Port: int() });
export const weights = record('Weights', { Passing: int(), Warning: int() });

export const upstream = record('Upstream', {
  DestinationType: omitEmpty(string(), { aliases: ['destination_type'] }),
  DestinationNamespace: omitEmpty(string(), { aliases: ['destination_namespace'] }),
  DestinationName: omitEmpty(string(), { aliases: ['destination_name'] }),
  Datacenter: string(),
  LocalBindAddress: omitEmpty(string(), { aliases: ['local_bind_address'] }),
  LocalBindPort: omitEmpty(int(), { aliases: ['local_bind_port'] }),
  LocalBindSocketPath: omitEmpty(string(), { aliases: ['local_bind_socket_path'] }),
  LocalBindSocketMode: omitEmpty(string(), { aliases: ['local_bind_socket_mode'] }),
  Config: omitEmpty(map(json())),
  MeshGateway: field(record('MeshGatewayConfig', { Mode: omitEmpty(string()) }), { aliases: ['mesh_gateway'] }),
  CentrallyConfigured: omitEmpty(bool(), { outputOnly: true }),
});
export type Upstream = Infer<typeof upstream>;

const exposePath = record('ExposePath', {
  ListenerPort: omitEmpty(int(), { aliases: ['listener_port'] }),
  Path: omitEmpty(string()),
  LocalPathPort: omitEmpty(int(), { aliases: ['local_path_port'] }),
  Protocol: omitEmpty(string()),
  ParsedFromCheck: omitEmpty(bool()),
});

/** Proxy of a connect-proxy or gateway instance, as the catalog prints it. */
export const proxy = record('ConnectProxyConfig', {
  DestinationServiceName: omitEmpty(string(), { aliases: ['destination_service_name'] }),
  DestinationServiceID: omitEmpty(string(), { aliases: ['destination_service_id'] }),
  LocalServiceAddress: omitEmpty(string(), { aliases: ['local_service_address'] }),
  LocalServicePort: omitEmpty(int(), { aliases: ['local_service_port'] }),
  LocalServiceSocketPath: omitEmpty(string(), { aliases: ['local_service_socket_path'] }),
  Mode: string(),
  TransparentProxy: omitEmpty(
    record('TransparentProxyConfig', {
      OutboundListenerPort: omitEmpty(int(), { aliases: ['outbound_listener_port'] }),
      DialedDirectly: omitEmpty(bool(), { aliases: ['dialed_directly'] }),
    }),
    { aliases: ['transparent_proxy'] },
  ),
  Config: omitEmpty(map(json())),
  Upstreams: omitEmpty(list(upstream)),
  MeshGateway: field(record('MeshGatewayConfig', { Mode: omitEmpty(string()) }), { aliases: ['mesh_gateway'] }),
  Expose: record('ExposeConfig', { Checks: omitEmpty(bool()), Paths: omitEmpty(list(exposePath)) }),
});
export type Proxy = Infer<typeof proxy>;

/** How readers see a proxy that was never set. */
const proxyUnset = '{"Mode":"","MeshGateway":{},"Expose":{}}';

export const connect = record('ServiceConnect', { Native: omitEmpty(bool()) });

export const node = record('Node', {
  ID: string(),
  Node: string(),
  Address: string(),
  Datacenter: string(),
  TaggedAddresses: map(string()),
  Meta: map(string()),
  CreateIndex: index(),
  ModifyIndex: index(),
});
export type Node = Infer<typeof node>;

/** A service instance without its node. `Proxy` and `Connect` are null for services that set none: printed as empty ones. */
export const nodeService = record('NodeService', {
  Kind: omitEmpty(string()),
  ID: string(),
  Service: string(),
  Tags: list(string(), '[]'),
  Address: string(),
  TaggedAddresses: omitEmpty(map(serviceAddress)),
  Meta: map(string()),
  Port: omitEmpty(int()),
  SocketPath: omitEmpty(string()),
  Weights: weights,
  EnableTagOverride: bool(),
  Proxy: nullable(proxy, proxyUnset),
  Connect: nullable(connect, '{}'),
  CreateIndex: index(),
  ModifyIndex: index(),
});
export type NodeService = Infer<typeof nodeService>;

/** What a check does, as the catalog keeps it; all empty for checks that an agent pushed. Durations in nanoseconds. */
export const checkDefinition = record('HealthCheckDefinition', {
  Interval: omitEmpty(duration()),
  OutputMaxSize: omitEmpty(int()),
  Timeout: omitEmpty(duration()),
  DeregisterCriticalServiceAfter: omitEmpty(duration()),
  HTTP: omitEmpty(string()),
  TLSServerName: omitEmpty(string()),
  TLSSkipVerify: omitEmpty(bool()),
  Header: omitEmpty(map(list(string()))),
  Method: omitEmpty(string()),
  Body: omitEmpty(string()),
  DisableRedirects: omitEmpty(bool()),
  TCP: omitEmpty(string()),
  H2PING: omitEmpty(string()),
  ScriptArgs: omitEmpty(list(string())),
  DockerContainerID: omitEmpty(string()),
  Shell: omitEmpty(string()),
  GRPC: omitEmpty(string()),
  GRPCUseTLS: omitEmpty(bool()),
  AliasNode: omitEmpty(string()),
  AliasService: omitEmpty(string()),
  TTL: omitEmpty(duration('number')),
});
export type CheckDefinition = Infer<typeof checkDefinition>;

export const healthCheck = record('HealthCheck', {
  Node: string(),
  CheckID: string(),
  Name: string(),
  Status: string(),
  Notes: string(),
  Output: string(),
  ServiceID: string(),
  ServiceName: string(),
  ServiceTags: list(string(), '[]'),
  Type: string(),
  Interval: string(),
  Timeout: string(),
  ExposedPort: int(),
  Definition: checkDefinition,
  CreateIndex: index(),
  ModifyIndex: index(),
});
export type HealthCheck = Infer<typeof healthCheck>;

/** An instance with its node and its checks (node-level first): what health look-ups answer. */
export const checkServiceNode = record('CheckServiceNode', {
  Node: node,
  Service: nodeService,
  Checks: list(healthCheck, '[]'),
});
export type CheckServiceNode = Infer<typeof checkServiceNode>;

/** The flat form of `/v1/catalog/service/:name`. */
export const catalogService = record('ServiceNode', {
  ID: string(),
  Node: string(),
  Address: string(),
  Datacenter: string(),
  TaggedAddresses: map(string()),
  NodeMeta: map(string()),
  ServiceKind: string(),
  ServiceID: string(),
  ServiceName: string(),
  ServiceTags: list(string(), '[]'),
  ServiceAddress: string(),
  ServiceTaggedAddresses: omitEmpty(map(serviceAddress)),
  ServiceWeights: weights,
  ServiceMeta: map(string(), '{}'),
  ServicePort: int(),
  ServiceSocketPath: string(),
  ServiceEnableTagOverride: bool(),
  ServiceProxy: nullable(proxy, proxyUnset),
  ServiceConnect: nullable(connect, '{}'),
  CreateIndex: index(),
  ModifyIndex: index(),
});
export type CatalogService = Infer<typeof catalogService>;

export type HealthStatus = 'passing' | 'warning' | 'critical' | 'maintenance';
