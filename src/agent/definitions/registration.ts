/**
 * From a definition to what the agent keeps: rules in the order and the words of the API, ids and names that follow from
 * others, the expansion of a sidecar. Nothing is registered here.
 */

import { formatDuration } from '../../std/duration.ts';
import {
  type CheckRegistration,
  checkDefinition,
  connect as connectSchema,
  type HealthCheck,
  ipFamily,
  isAnyAddress,
  kindProblems,
  metadataProblem,
  type NestedCheck,
  type NodeService,
  problemList,
  proxy as proxySchema,
  type ServiceRegistration,
  type SidecarRegistration,
  type Upstream,
  weightsProblem,
} from '../../structs/index.ts';
import { type CheckSpec, isAlias, isScript, kindOf } from '../local/checks/make.ts';
import { LocalError } from '../local/errors.ts';

export interface CheckToRun {
  readonly check: HealthCheck;
  readonly spec: CheckSpec;
  readonly deregisterAfterNs: number;
}

export interface ServiceToRun {
  readonly service: NodeService;
  readonly checks: readonly CheckToRun[];
  readonly token: string;
}

const invalid = (message: string): LocalError => new LocalError('invalid', message);

/** Rules that hold before anything is looked up. Throws a LocalError. */
export function validateService(given: ServiceRegistration): void {
  if (given.Name === '') throw invalid('Missing service name');
  if (isAnyAddress(given.Address)) throw invalid('Invalid service address');
  const weights = given.Weights === null ? undefined : weightsProblem(given.Weights);
  if (weights !== undefined) throw invalid(`Invalid Weights: ${weights}`);
  const meta = metadataProblem(given.Meta, { gateway: given.Kind === 'mesh-gateway' });
  if (meta !== undefined) throw invalid(`Invalid Service Meta: ${meta}`);
  const sidecar = given.Connect?.SidecarService ?? null;
  const problems = kindProblems(given, sidecar !== null);
  if (sidecar !== null) problems.push(...sidecarProblems(sidecar));
  if (problems.length > 0) throw invalid(problemList(problems));
  for (const check of checksOf(given)) validateNested(check);
  if (sidecar !== null) validateSidecarChecks(sidecar);
}

function sidecarProblems(sidecar: SidecarRegistration): string[] {
  const problems: string[] = [];
  if (sidecar.ID !== '') problems.push('A SidecarService cannot specify an ID as this is managed by the agent');
  const nested = sidecar.Connect?.SidecarService;
  if (nested !== undefined && nested !== null) problems.push('A SidecarService cannot have a nested SidecarService');
  return problems;
}

function validateNested(check: NestedCheck): void {
  const problem = checkProblem(check);
  if (problem !== undefined) throw invalid(`Invalid check: ${problem}`);
  if (!isStatus(check.Status)) throw invalid("Status for checks must 'passing', 'warning', 'critical'");
}

function validateSidecarChecks(sidecar: SidecarRegistration): void {
  for (const check of checksOf(sidecar)) {
    const problem = checkProblem(check);
    if (problem !== undefined) {
      throw new LocalError('failed', `Bad request: Invalid check in sidecar_service: ${problem}`);
    }
  }
  const meta = metadataProblem(sidecar.Meta);
  if (meta !== undefined) throw new LocalError('failed', `Bad request: Invalid SidecarService: ${meta}`);
}

const isStatus = (status: string): boolean => ['', 'passing', 'warning', 'critical'].includes(status);

/** Rules of a check that stands alone. */
export function validateCheck(given: CheckRegistration): void {
  if (given.Name === '') throw invalid('Missing check name');
  if (!isStatus(given.Status)) throw invalid('Bad check status');
  const problem = checkProblem(given);
  if (problem !== undefined) throw invalid(`Invalid check: ${problem}`);
}

function checkProblem(spec: CheckSpec): string | undefined {
  const timed = isScript(spec) || spec.HTTP !== '' || spec.TCP !== '' || spec.GRPC !== '' || spec.H2PING !== '';
  if (spec.Interval > 0 && spec.TTL > 0) return 'Interval and TTL cannot both be specified';
  if (timed && spec.Interval <= 0) return 'Interval must be > 0 for Script, HTTP, H2PING, or TCP checks';
  if (timed && isAlias(spec)) return 'Interval cannot be set for Alias checks';
  if (isAlias(spec) && spec.TTL > 0) return 'TTL must be not be set for Alias checks';
  if (!timed && !isAlias(spec) && spec.TTL <= 0) return 'TTL must be > 0 for TTL checks';
  if (spec.OutputMaxSize < 0) return 'MaxOutputMaxSize must be positive';
  return undefined;
}

/** Checks of a definition in order: `Check` (unless it is all empty), then `Checks`. */
export function checksOf(given: Pick<ServiceRegistration, 'Check' | 'Checks'>): NestedCheck[] {
  const single = given.Check !== null && !isEmpty(given.Check) ? [given.Check] : [];
  return [...single, ...(given.Checks ?? [])];
}

function isEmpty(check: NestedCheck): boolean {
  return Object.values(check).every(
    (value) => !value || (typeof value === 'object' && Object.keys(value as object).length === 0),
  );
}

/** The instance that a definition describes, in the catalog's form. */
export function serviceRecord(given: ServiceRegistration | SidecarRegistration): NodeService {
  return {
    Kind: given.Kind,
    ID: given.ID === '' ? given.Name : given.ID,
    Service: given.Name,
    Tags: given.Tags,
    Address: given.Address,
    TaggedAddresses: taggedAddresses(given),
    Meta: given.Meta,
    Port: given.Port,
    SocketPath: given.SocketPath,
    Weights: given.Weights ?? { Passing: 1, Warning: 1 },
    EnableTagOverride: given.EnableTagOverride,
    Proxy: proxyRecord(given),
    Connect: { ...connectSchema.zero(), Native: given.Connect?.Native ?? false },
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

function proxyRecord(given: ServiceRegistration | SidecarRegistration): NodeService['Proxy'] {
  const proxy = given.Proxy ?? proxySchema.zero();
  return { ...proxy, Upstreams: proxy.Upstreams?.map((upstream) => upstreamRecord(upstream, proxy)) ?? null };
}

/** An upstream is a service unless it says otherwise; a service goes by the proxy's way through mesh gateways. */
function upstreamRecord(upstream: Upstream, proxy: NonNullable<NodeService['Proxy']>): Upstream {
  const type = upstream.DestinationType === '' ? 'service' : upstream.DestinationType;
  const inherits = type === 'service' && upstream.MeshGateway.Mode === '';
  return { ...upstream, DestinationType: type, MeshGateway: inherits ? proxy.MeshGateway : upstream.MeshGateway };
}

/** An IP address is tagged for LAN and WAN of its family, unless the definition does so itself. */
function taggedAddresses(given: ServiceRegistration | SidecarRegistration): NodeService['TaggedAddresses'] {
  const family = ipFamily(given.Address);
  if (family === 0) return given.TaggedAddresses;
  const own = { Address: given.Address, Port: given.Port };
  const tags = family === 4 ? ['lan_ipv4', 'wan_ipv4'] : ['lan_ipv6', 'wan_ipv6'];
  const derived = Object.fromEntries(tags.map((tag) => [tag, own]));
  return { ...derived, ...given.TaggedAddresses };
}

/** The checks of a service, with ids and names that follow from it where they have none. */
export function nestedChecks(service: NodeService, given: readonly NestedCheck[], node: string): CheckToRun[] {
  return given.map((check, i) => {
    const number = given.length > 1 ? `:${i + 1}` : '';
    return {
      spec: check,
      deregisterAfterNs: check.DeregisterCriticalServiceAfter,
      check: {
        ...blankCheck(node),
        CheckID: check.CheckID === '' ? `service:${service.ID}${number}` : check.CheckID,
        Name: check.Name === '' ? `Service '${service.Service}' check` : check.Name,
        Status: check.Status === '' ? 'critical' : check.Status,
        Notes: check.Notes,
        ServiceID: service.ID,
        ServiceName: service.Service,
        ServiceTags: service.Tags,
        Type: kindOf(check),
      },
    };
  });
}

/** A check of its own. `type` is left out for checks of files, as the reference does. */
export function standaloneCheck(given: CheckRegistration, node: string, typed: boolean): CheckToRun {
  return {
    spec: given,
    deregisterAfterNs: given.DeregisterCriticalServiceAfter,
    check: {
      ...blankCheck(node),
      CheckID: given.ID === '' ? given.Name : given.ID,
      Name: given.Name,
      Status: given.Status === '' ? 'critical' : given.Status,
      Notes: given.Notes,
      ServiceID: given.ServiceID,
      Type: typed ? kindOf(given) : '',
      Interval: formatDuration(given.Interval),
      Timeout: formatDuration(given.Timeout),
    },
  };
}

/** Checks that an agent pushes carry no definition. */
const emptyDefinition = checkDefinition.zero();

export function blankCheck(node: string): HealthCheck {
  return {
    Node: node,
    CheckID: '',
    Name: '',
    Status: 'critical',
    Notes: '',
    Output: '',
    ServiceID: '',
    ServiceName: '',
    ServiceTags: [],
    Type: '',
    Interval: '',
    Timeout: '',
    ExposedPort: 0,
    Definition: emptyDefinition,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}
