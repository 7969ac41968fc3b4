/**
 * What people write to register services and checks: the bodies of `/v1/agent/service/register` and
 * `/v1/agent/check/register`, and the same in files (snake_case, see agent/definitions). Beside them the form in which the
 * agent's endpoints print services and checks.
 */
import { connect, healthCheck, proxy, serviceAddress, weights } from './catalog.ts';
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
  type Schema,
  string,
} from './schema/index.ts';

/** What a check does: the keys that every form of a check shares. */
const runner = {
  ScriptArgs: field(list(string()), { aliases: ['Args', 'script_args'] }),
  HTTP: string(),
  H2PING: string(),
  H2PingUseTLS: nullable(bool()),
  Header: map(list(string())),
  Method: string(),
  Body: string(),
  TCP: string(),
  TCPUseTLS: bool(),
  Interval: duration(),
  DockerContainerID: field(string(), { aliases: ['docker_container_id'] }),
  Shell: string(),
  GRPC: string(),
  GRPCUseTLS: field(bool(), { aliases: ['grpc_use_tls'] }),
  TLSServerName: field(string(), { aliases: ['tls_server_name'] }),
  TLSSkipVerify: field(bool(), { aliases: ['tls_skip_verify'] }),
  AliasNode: string(),
  AliasService: string(),
  Timeout: duration(),
  TTL: duration(),
  SuccessBeforePassing: int(),
  FailuresBeforeWarning: int(),
  FailuresBeforeCritical: int(),
  DeregisterCriticalServiceAfter: field(duration(), { aliases: ['deregister_critical_service_after'] }),
  OutputMaxSize: int(),
};

/** A check inside of a service definition. Durations in nanoseconds. */
export const nestedCheck = record('CheckType', {
  CheckID: string(),
  Name: string(),
  Status: string(),
  Notes: string(),
  /** Accepted and ignored: the service around it counts. */
  ServiceID: string(),
  ...runner,
  DisableRedirects: bool(),
  ProxyHTTP: string(),
  ProxyGRPC: string(),
});
export type NestedCheck = Infer<typeof nestedCheck>;

/** A check of its own: of the node, or of a service when ServiceID is given. */
export const checkRegistration = record('CheckDefinition', {
  ID: string(),
  Name: string(),
  Notes: string(),
  ServiceID: field(string(), { aliases: ['service_id'] }),
  Token: string(),
  Status: string(),
  ...runner,
  DisableRedirects: field(bool(), { aliases: ['disable_redirects'] }),
});
export type CheckRegistration = Infer<typeof checkRegistration>;

const serviceKeys = {
  Kind: string(),
  ID: string(),
  Name: string(),
  Tags: list(string()),
  Address: string(),
  TaggedAddresses: field(map(serviceAddress), { aliases: ['tagged_addresses'] }),
  Meta: map(string()),
  Port: int(),
  SocketPath: string(),
  Check: nullable(nestedCheck),
  Checks: list(nestedCheck),
  Weights: nullable(weights),
  Token: string(),
  EnableTagOverride: field(bool(), { aliases: ['enable_tag_override'] }),
  Proxy: nullable(proxy),
};
const connectWith = <T>(sidecar: Schema<T>) =>
  // Unknown keys inside `Connect` are tolerated, as the reference does: `connect.proxy` of old documents is such a key.
  record('ServiceConnect', { Native: bool(), SidecarService: field(sidecar, { aliases: ['sidecar_service'] }) }, true);

/** A sidecar inside of a service. What stands in its own Connect is only looked at to refuse it. */
const sidecarRegistration = record('ServiceDefinition', {
  ...serviceKeys,
  Connect: nullable(connectWith(json())),
});
export type SidecarRegistration = Infer<typeof sidecarRegistration>;

export const serviceRegistration = record('ServiceDefinition', {
  ...serviceKeys,
  Connect: nullable(connectWith(nullable(sidecarRegistration))),
});
export type ServiceRegistration = Infer<typeof serviceRegistration>;

/** An upstream as the agent prints it: an empty datacenter is left out, and whether it is from central configuration. */
const agentUpstream = record('Upstream', {
  DestinationType: omitEmpty(string()),
  DestinationNamespace: omitEmpty(string()),
  DestinationName: omitEmpty(string()),
  Datacenter: omitEmpty(string()),
  LocalBindAddress: omitEmpty(string()),
  LocalBindPort: omitEmpty(int()),
  LocalBindSocketPath: omitEmpty(string()),
  LocalBindSocketMode: omitEmpty(string()),
  Config: omitEmpty(map(json())),
  MeshGateway: record('MeshGatewayConfig', { Mode: omitEmpty(string()) }),
});

/** The Proxy object as the agent prints it: an empty Mode is left out, exposed paths say where they come from. */
const agentProxy = record('ConnectProxyConfig', {
  DestinationServiceName: omitEmpty(string()),
  DestinationServiceID: omitEmpty(string()),
  LocalServiceAddress: omitEmpty(string()),
  LocalServicePort: omitEmpty(int()),
  LocalServiceSocketPath: omitEmpty(string()),
  Mode: omitEmpty(string()),
  TransparentProxy: proxy.fields!.TransparentProxy as unknown as ReturnType<
    typeof omitEmpty<Infer<typeof proxy>['TransparentProxy']>
  >,
  Config: omitEmpty(map(json())),
  Upstreams: omitEmpty(list(agentUpstream)),
  MeshGateway: record('MeshGatewayConfig', { Mode: omitEmpty(string()) }),
  Expose: record('ExposeConfig', {
    Checks: omitEmpty(bool()),
    Paths: omitEmpty(
      list(
        record('ExposePath', {
          ListenerPort: omitEmpty(int()),
          Path: omitEmpty(string()),
          LocalPathPort: omitEmpty(int()),
          Protocol: omitEmpty(string()),
          ParsedFromCheck: bool(),
        }),
      ),
    ),
  }),
});

/** A service as `/v1/agent/service(s)` print it. */
export const agentService = record('AgentService', {
  Kind: omitEmpty(string()),
  ID: string(),
  Service: string(),
  Tags: list(string(), '[]'),
  Meta: map(string(), '{}'),
  Port: int(),
  Address: string(),
  SocketPath: omitEmpty(string()),
  TaggedAddresses: omitEmpty(map(serviceAddress)),
  Weights: weights,
  EnableTagOverride: bool(),
  CreateIndex: omitEmpty(index()),
  ModifyIndex: omitEmpty(index()),
  ContentHash: omitEmpty(string()),
  Proxy: omitEmpty(nullable(agentProxy)),
  Connect: omitEmpty(nullable(connect)),
  Datacenter: omitEmpty(string()),
});
export type AgentService = Infer<typeof agentService>;
export const agentServices = map(agentService, '{}');
/** `/v1/agent/checks`: checks by id. */
export const agentChecks = map(healthCheck, '{}');

/** A check inside of `/v1/agent/health/service/…`: an older shape, its definition always empty. */
export const agentHealthCheck = record('HealthCheck', {
  Node: string(),
  CheckID: string(),
  Name: string(),
  Status: string(),
  Notes: string(),
  Output: string(),
  ServiceID: string(),
  ServiceName: string(),
  ServiceTags: list(string()),
  Type: string(),
  Definition: record('HealthCheckDefinition', {
    Interval: duration(),
    Timeout: duration(),
    DeregisterCriticalServiceAfter: duration(),
    HTTP: string(),
    Header: map(list(string())),
    Method: string(),
    Body: string(),
    TLSServerName: string(),
    TLSSkipVerify: bool(),
    TCP: string(),
    GRPC: string(),
    GRPCUseTLS: bool(),
  }),
  CreateIndex: index(),
  ModifyIndex: index(),
});
export const agentHealth = record('AgentServiceChecksInfo', {
  AggregatedStatus: string(),
  Service: nullable(agentService),
  Checks: list(agentHealthCheck),
});
export type AgentHealth = Infer<typeof agentHealth>;

/** Body of `/v1/agent/check/update/:id`. */
export const checkUpdate = record('checkUpdate', { Status: string(), Output: string() });
