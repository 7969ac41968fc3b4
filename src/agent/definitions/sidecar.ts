/** The sidecar that a definition asks for: what follows from its parent where it does not say otherwise. */

import { second } from '../../std/duration.ts';
import {
  type NestedCheck,
  type NodeService,
  nestedCheck,
  proxy as proxySchema,
  type SidecarRegistration,
} from '../../structs/index.ts';
import { LocalError } from '../local/errors.ts';
import { type CheckToRun, checksOf, nestedChecks, type ServiceToRun, serviceRecord } from './registration.ts';

export const sidecarIdOf = (serviceId: string): string => `${serviceId}-sidecar-proxy`;

export interface SidecarPorts {
  readonly min: number;
  readonly max: number;
  /** Port of the sidecar of the same id that is registered already; it keeps it. */
  readonly kept: number | undefined;
  /** Ports of all local services. */
  readonly taken: ReadonlySet<number>;
}

export interface SidecarOptions {
  readonly ports: SidecarPorts;
  readonly node: string;
  readonly token: string;
  /** Where sidecars that the agent runs listen, if their definitions do not say. Undefined: on every address. */
  readonly bindAddress: string | undefined;
}

/** Throws a LocalError when it needs a port and there is none. */
export function expandSidecar(parent: NodeService, given: SidecarRegistration, options: SidecarOptions): ServiceToRun {
  const port = given.Port !== 0 ? given.Port : choosePort(options.ports);
  const definition: SidecarRegistration = {
    ...given,
    Kind: given.Kind === '' ? 'connect-proxy' : given.Kind,
    ID: sidecarIdOf(parent.ID),
    Name: given.Name === '' ? `${parent.Service}-sidecar-proxy` : given.Name,
    Tags: (given.Tags ?? []).length > 0 ? given.Tags : parent.Tags,
    Meta: Object.keys(given.Meta ?? {}).length > 0 ? given.Meta : parent.Meta,
    Address: given.Address === '' ? parent.Address : given.Address,
    Port: port,
    Proxy: proxyOf(parent, given),
  };
  const service = serviceRecord(definition);
  const own = checksOf(given);
  return {
    service,
    checks: own.length > 0 ? nestedChecks(service, own, options.node) : defaultChecks(parent, service, options),
    token: given.Token === '' ? options.token : given.Token,
  };
}

function proxyOf(parent: NodeService, given: SidecarRegistration): NonNullable<SidecarRegistration['Proxy']> {
  const proxy = given.Proxy ?? proxySchema.zero();
  const viaSocket = parent.SocketPath !== '' && proxy.LocalServiceAddress === '' && proxy.LocalServicePort === 0;
  return {
    ...proxy,
    DestinationServiceName: proxy.DestinationServiceName === '' ? parent.Service : proxy.DestinationServiceName,
    DestinationServiceID: proxy.DestinationServiceID === '' ? parent.ID : proxy.DestinationServiceID,
    ...(viaSocket
      ? {
          LocalServiceSocketPath:
            proxy.LocalServiceSocketPath === '' ? parent.SocketPath : proxy.LocalServiceSocketPath,
        }
      : {
          LocalServiceAddress: proxy.LocalServiceAddress === '' ? '127.0.0.1' : proxy.LocalServiceAddress,
          LocalServicePort: proxy.LocalServicePort === 0 ? parent.Port : proxy.LocalServicePort,
        }),
  };
}

function choosePort({ min, max, kept, taken }: SidecarPorts): number {
  if (kept !== undefined && kept !== 0) return kept;
  const reason = 'Bad request: Invalid SidecarService: no port provided for sidecar_service and';
  if (min <= 0) throw new LocalError('failed', `${reason} auto-assignment disabled in config`);
  for (let port = min; port <= max; port++) if (!taken.has(port)) return port;
  throw new LocalError('failed', `${reason} none left in the configured range [${min}, ${max}]`);
}

/** The sidecar listens, and its service is well. */
function defaultChecks(parent: NodeService, service: NodeService, { node, bindAddress }: SidecarOptions): CheckToRun[] {
  const host =
    (isManaged(service) && managedAddress(service, bindAddress)) || service.Proxy?.LocalServiceAddress || '127.0.0.1';
  const listening: NestedCheck = {
    ...nestedCheck.zero(),
    Name: 'Connect Sidecar Listening',
    TCP: `${host.includes(':') ? `[${host}]` : host}:${service.Port}`,
    Interval: 10 * second,
  };
  const aliasing: NestedCheck = {
    ...nestedCheck.zero(),
    Name: `Connect Sidecar Aliasing ${parent.ID}`,
    AliasService: parent.ID,
  };
  return nestedChecks(service, [listening, aliasing], node);
}

/** Where the agent's own sidecar listens, as `decodeRegistration` of the proxy reads it; empty: on every address. */
function managedAddress(service: NodeService, bindAddress: string | undefined): string {
  const named = service.Proxy?.Config?.bind_address;
  return (typeof named === 'string' && named) || service.Address || bindAddress || '';
}

/** Whether a sidecar's definition asks the agent to run it. */
export function isManaged(service: NodeService): boolean {
  return service.Kind === 'connect-proxy' && service.Proxy?.Config?.managed === true;
}
