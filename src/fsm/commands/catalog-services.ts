/**
 * How service instances come, change and go, and how the index of each service name moves with them.
 *
 * Every name in use has a counter `service.<name>` that moves with any change a reader of that service could see: its
 * instances, their checks, and the nodes they are on. When the last instance of a name goes, the counter goes with it and
 * `service_last_extinction` takes over: readers of absent names report that one, and do not wake for unrelated changes.
 * Destinations of proxies have a counter `connect.<name>` of the same kind.
 */
import type { NodeService } from '../../structs/index.ts';
import { metadataProblem } from '../../structs/index.ts';
import type { ServiceRow, WriteTx } from '../contract.ts';
import { Refusal } from '../errors.ts';
import { connectCounter, connectDestination, extinctionCounter, serviceCounter } from '../service-index.ts';
import { removeCheck } from './catalog-checks.ts';
import { touchService } from './catalog-touch.ts';
import { equalBut } from './equal.ts';

export type ServiceContent = Omit<NodeService, 'CreateIndex' | 'ModifyIndex'>;

/** Writes an instance and returns what is stored now. Throws a Refusal without a node, or for wrong metadata. */
export function putService(tx: WriteTx, node: string, content: ServiceContent): ServiceRow {
  const home = tx.table('nodes').get([node]);
  if (home === undefined) throw new Refusal('failed', 'Missing node registration');
  const wrongMeta = metadataProblem(content.Meta, { gateway: content.Kind === 'mesh-gateway' });
  if (wrongMeta !== undefined) {
    throw new Refusal('failed', `Invalid Service Meta for node ${home.Node} and serviceID ${content.ID}: ${wrongMeta}`);
  }
  const services = tx.table('services');
  const before = services.get([node, content.ID]);
  if (before !== undefined && equalBut(before, content, 'CreateIndex', 'ModifyIndex', 'Node')) return before;
  const row: ServiceRow = {
    ...content,
    Node: home.Node,
    CreateIndex: before?.CreateIndex ?? tx.index,
    ModifyIndex: tx.index,
  };
  services.put([node, content.ID], row);
  touchService(tx, row.Service);
  if (before !== undefined && before.Service !== row.Service) afterLeaving(tx, before.Service);
  touchDestination(tx, connectDestination(row));
  if (before !== undefined) touchDestination(tx, connectDestination(before));
  return row;
}

/** Removes an instance with its checks. False if there is none. */
export function removeService(tx: WriteTx, node: string, id: string): boolean {
  const services = tx.table('services');
  const before = services.get([node, id]);
  if (before === undefined) return false;
  for (const check of [...tx.table('checks').range([node])]) {
    if (check.ServiceID === before.ID) removeCheck(tx, node, check.CheckID);
  }
  tx.table('checks').touch();
  services.delete([node, id]);
  afterLeaving(tx, before.Service);
  touchDestination(tx, connectDestination(before));
  return true;
}

function afterLeaving(tx: WriteTx, name: string): void {
  for (const _ of tx.table('services').by('service', [name])) {
    touchService(tx, name);
    return;
  }
  tx.setCounter(serviceCounter(name), 0);
  tx.setCounter(extinctionCounter, tx.index);
}

/**
 * Moves the counter of a destination whose proxies changed. The counters of the proxies' own names would not do: when one
 * of two goes, the highest of the rest may stay what it was, and a reader would not learn of it.
 */
function touchDestination(tx: WriteTx, destination: string): void {
  if (destination === '') return;
  for (const _ of tx.table('services').by('connect', [destination])) {
    tx.setCounter(connectCounter(destination), tx.index);
    return;
  }
  tx.setCounter(connectCounter(destination), 0);
  tx.setCounter(extinctionCounter, tx.index);
}
