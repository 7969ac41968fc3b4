/** Names of the counters that the index rules of services speak of; commands move them, queries report them. */
export const extinctionCounter = 'service_last_extinction';

/** The counter of one service name; names are looked up ignoring case, and so is this. */
export function serviceCounter(name: string): string {
  return `service.${name.toLowerCase()}`;
}

/** Moves when an instance that serves mutual TLS for `destination` comes, changes or goes. */
export function connectCounter(destination: string): string {
  return `connect.${destination.toLowerCase()}`;
}

/** For which service an instance serves mutual TLS: a proxy for its destination, a native one for itself; '' for none. */
export function connectDestination(service: {
  readonly Kind: string;
  readonly Service: string;
  readonly Proxy: { readonly DestinationServiceName: string } | null;
  readonly Connect: { readonly Native: boolean } | null;
}): string {
  if (service.Kind === 'connect-proxy') return service.Proxy?.DestinationServiceName ?? '';
  return service.Connect?.Native === true ? service.Service : '';
}
