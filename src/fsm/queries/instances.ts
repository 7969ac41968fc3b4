/**
 * Instances of a service with their nodes and checks: what catalog, health and DNS answers are made of. Put together once
 * for each value of the service's counter, which moves with everything that the result shows.
 */
import type { CheckServiceNode, HealthCheck, NodeService } from '../../structs/index.ts';
import type { ReadTx, ServiceRow } from '../contract.ts';
import { connectCounter, extinctionCounter, serviceCounter } from '../service-index.ts';

/** Ordered by node, then service id. Take note of the service's counter, and only of that. */
export function instancesOf(tx: ReadTx, name: string): readonly CheckServiceNode[] {
  const version = tx.counter(serviceCounter(name));
  if (version === 0) return none;
  return tx.memo(`instances/${name.toLowerCase()}`, version, (view) =>
    [...view.table('services').by('service', [name])].map((row) => assemble(view, row)),
  );
}

/** Instances that serve mutual TLS for `name`. Takes note of what makes them come, change and go. */
export function connectInstancesOf(tx: ReadTx, name: string): readonly CheckServiceNode[] {
  const version = tx.counter(connectCounter(name));
  if (version === 0) return none;
  const rows = tx.memo(`connect/${name.toLowerCase()}`, version, (view) => [
    ...view.table('services').by('connect', [name]),
  ]);
  const counters = rows.map((row) => tx.counter(serviceCounter(row.Service)));
  return tx.memo(`connect-instances/${name.toLowerCase()}`, `${version}/${counters.join('/')}`, (view) =>
    rows.map((row) => assemble(view, row)),
  );
}

const none: readonly CheckServiceNode[] = [];

/** Joins an instance with its node and its checks: node-level ones first, then its own, each by check id. */
export function assemble(tx: ReadTx, row: ServiceRow): CheckServiceNode {
  const node = tx.table('nodes').get([row.Node]);
  if (node === undefined) throw new TypeError(`service ${row.ID} is on node ${row.Node}, which is not there`);
  const nodeChecks: HealthCheck[] = [];
  const serviceChecks: HealthCheck[] = [];
  for (const check of tx.table('checks').range([row.Node])) {
    if (check.ServiceID === '') nodeChecks.push(check);
    else if (check.ServiceID === row.ID) serviceChecks.push(check);
  }
  return { Node: node, Service: withoutNode(row), Checks: [...nodeChecks, ...serviceChecks] };
}

export function withoutNode(row: ServiceRow): NodeService {
  const { Node: _, ...service } = row;
  return service;
}

/**
 * The index a reader of a service reports: the service's own counter while it has instances; else the index of the last
 * time any name lost its last instance, so that unrelated changes do not wake it; before that ever happened, the
 * highest of the tables read.
 */
export function serviceIndex(
  tx: ReadTx,
  name: string,
  { found, tables }: { readonly found: boolean; readonly tables: readonly ('nodes' | 'services' | 'checks')[] },
): number {
  const own = tx.counter(serviceCounter(name));
  const extinction = tx.unwatched.counter(extinctionCounter);
  if (!found && extinction > 0) return extinction;
  if (own > 0) return own;
  return tablesIndex(tx.unwatched, tables);
}

/** The highest of several tables' indexes. */
export function tablesIndex(tx: ReadTx, tables: readonly ('nodes' | 'services' | 'checks')[]): number {
  return Math.max(...tables.map((name) => tx.table(name).index()));
}

/** The index a reader of a destination's proxies reports: whatever moved last among them, else as for an absent service. */
export function connectIndex(
  tx: ReadTx,
  name: string,
  found: readonly CheckServiceNode[],
  tables: readonly ('nodes' | 'services' | 'checks')[],
): number {
  if (found.length === 0) return serviceIndex(tx, name, { found: false, tables });
  const counters = found.map((instance) => tx.counter(serviceCounter(instance.Service.Service)));
  return Math.max(tx.counter(connectCounter(name)), ...counters);
}
