/**
 * Layer-7 permissions need a destination that speaks a protocol with requests. Whichever entry changes, the permissions or
 * the protocol they rest on, the state after it must hold; the first destination for which it does not is named.
 */
import type { ConfigEntry, ServiceIntentions } from '../../structs/config-entry.ts';
import { proxyDefaultsName } from '../../structs/config-entry.ts';
import { foldDestination } from '../../structs/intention-source.ts';
import type { ReadTx } from '../contract.ts';
import { Refusal } from '../errors.ts';

const withRequests: ReadonlySet<string> = new Set(['http', 'http2', 'grpc']);

/** `changed` was just written or deleted; the transaction already shows the state after it. */
export function refuseIncompatiblePermissions(tx: ReadTx, changed: ConfigEntry): void {
  switch (changed.Kind) {
    case 'service-intentions':
      refuseIncompatible(tx, changed);
      break;
    case 'service-defaults':
      refuseIncompatible(tx, intentionsOfService(tx, changed.Name));
      break;
    case 'proxy-defaults':
      for (const { Destination } of tx.table('intentionLookups').range(['permissions'])) {
        refuseIncompatible(tx, intentionsOfService(tx, Destination));
      }
  }
}

function intentionsOfService(tx: ReadTx, service: string): ServiceIntentions | undefined {
  // Most services have no permissions, and entries may be large: ask the small table first.
  if (tx.table('intentionLookups').get(['permissions', foldDestination(service)]) === undefined) return undefined;
  const entry = tx.table('configEntries').get(['service-intentions', service]);
  return entry?.Kind === 'service-intentions' ? entry : undefined;
}

function refuseIncompatible(tx: ReadTx, entry: ServiceIntentions | undefined): void {
  if (entry === undefined || !hasPermissions(entry)) return;
  const protocol = protocolOf(tx, entry.Name);
  if (withRequests.has(protocol)) return;
  throw new Refusal(
    'failed',
    `service ${JSON.stringify(entry.Name)} has protocol ${JSON.stringify(protocol)}, which is incompatible with L7 intentions permissions`,
  );
}

export function hasPermissions(entry: ServiceIntentions): boolean {
  return (entry.Sources ?? []).some((source) => source.Permissions !== null && source.Permissions.length > 0);
}

/**
 * The protocol of a service: that of its service-defaults, where empty means tcp; without them that of proxy-defaults,
 * whatever type it was written as; else tcp.
 */
function protocolOf(tx: ReadTx, service: string): string {
  const own = tx.table('configEntries').get(['service-defaults', service]);
  if (own?.Kind === 'service-defaults') return own.Protocol === '' ? 'tcp' : own.Protocol;
  const all = tx.table('configEntries').get(['proxy-defaults', proxyDefaultsName]);
  const protocol = all?.Kind === 'proxy-defaults' ? all.Config?.protocol : undefined;
  const text = typeof protocol === 'string' || typeof protocol === 'number' ? String(protocol).toLowerCase() : '';
  return text === '' ? 'tcp' : text;
}
