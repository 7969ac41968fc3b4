/** Reads of health: checks by node, service and state, and instances with their checks. Index rules beside each. */
import type { CheckServiceNode, HealthCheck } from '../../structs/index.ts';
import { query, type ReadTx } from '../contract.ts';
import type { NodeSelection, ServiceSelection } from './catalog.ts';
import { connectIndex, connectInstancesOf, instancesOf, serviceIndex } from './instances.ts';
import { hasMeta, hasNoPairs, select } from './selection.ts';

/** All checks of a node, by check id. Index: the checks table. */
export const healthNode = query<{ readonly node: string }, readonly HealthCheck[]>({
  name: 'health.node',
  run(tx, { node }) {
    return { index: tx.table('checks').index(), value: [...tx.unwatched.table('checks').range([node])] };
  },
});

/** Checks of a service's instances, by node and check id. Index: the checks table; with node metadata the service's. */
export const healthChecks = query<NodeSelection & { readonly service: string }, readonly HealthCheck[]>({
  name: 'health.checks',
  run(tx, { service, nodeMeta }) {
    const checks = [...tx.unwatched.table('checks').by('service', [service])];
    if (hasNoPairs(nodeMeta)) return { index: tx.table('checks').index(), value: checks };
    const found = tx.counter(`service.${service.toLowerCase()}`) > 0;
    const index = serviceIndex(tx, service, { found, tables: ['nodes', 'services', 'checks'] });
    return { index, value: ofNodes(tx.unwatched, checks, nodeMeta) };
  },
});

/** Checks in a state, `any` for all, by node and check id. Index: the checks table. */
export const healthState = query<NodeSelection & { readonly state: string }, readonly HealthCheck[]>({
  name: 'health.state',
  run(tx, { state, nodeMeta }) {
    const index = tx.table('checks').index();
    const checks = tx.unwatched.table('checks');
    const value = [...(state === 'any' ? checks.range([]) : checks.by('status', [state]))];
    return { index, value: hasNoPairs(nodeMeta) ? value : ofNodes(tx.unwatched, value, nodeMeta) };
  },
});

function ofNodes(
  tx: ReadTx,
  checks: readonly HealthCheck[],
  nodeMeta: NodeSelection['nodeMeta'],
): readonly HealthCheck[] {
  return checks.filter((check) => {
    const node = tx.table('nodes').get([check.Node]);
    return node !== undefined && hasMeta(node, nodeMeta);
  });
}

/** Instances with their checks. Index: the service's own counter (instances.ts). */
export const healthService = query<ServiceSelection, readonly CheckServiceNode[]>({
  name: 'health.service',
  run(tx, { name, ...selection }) {
    const found = instancesOf(tx, name);
    const index = serviceIndex(tx, name, { found: found.length > 0, tables: ['nodes', 'services', 'checks'] });
    return { index, value: select(found, selection) };
  },
});

/** Instances that serve mutual TLS for the name. Index: the highest of the services they belong to. */
export const healthConnect = query<ServiceSelection, readonly CheckServiceNode[]>({
  name: 'health.connect',
  run(tx, { name, ...selection }) {
    const found = connectInstancesOf(tx, name);
    return {
      index: connectIndex(tx, name, found, ['nodes', 'services', 'checks']),
      value: select(found, selection),
    };
  },
});
