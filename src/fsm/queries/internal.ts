/** Reads for the web console: the whole catalog, or one node of it, in one answer. Index: nodes, services and checks. */
import type { CheckServiceNode, HealthCheck, Node, NodeService } from '../../structs/index.ts';
import { query, type ReadTx } from '../contract.ts';
import { assemble, tablesIndex, withoutNode } from './instances.ts';

export interface NodeDump {
  readonly Node: Node;
  readonly Services: readonly NodeService[];
  readonly Checks: readonly HealthCheck[];
}

const tables = ['nodes', 'services', 'checks'] as const;

/** All nodes by name, each with its services and checks. */
export const internalNodes = query<Record<string, never>, readonly NodeDump[]>({
  name: 'internal.nodes',
  run(tx) {
    const index = tablesIndex(tx, tables);
    const value = tx.memo('node-dump', index, (view) => [...view.table('nodes').range([])].map((n) => dump(view, n)));
    return { index, value };
  },
});

export const internalNode = query<{ readonly node: string }, NodeDump | null>({
  name: 'internal.node',
  run(tx, { node: name }) {
    const index = tablesIndex(tx, tables);
    const node = tx.unwatched.table('nodes').get([name]);
    return { index, value: node === undefined ? null : dump(tx.unwatched, node) };
  },
});

/** Every instance with its node and checks, by service name, node and id: what summaries are made of. */
export const internalServices = query<Record<string, never>, readonly CheckServiceNode[]>({
  name: 'internal.services',
  run(tx) {
    const index = tablesIndex(tx, tables);
    const value = tx.memo('service-dump', index, (view) =>
      [...view.table('services').by('service', [])].map((row) => assemble(view, row)),
    );
    return { index, value };
  },
});

function dump(tx: ReadTx, node: Node): NodeDump {
  return {
    Node: node,
    Services: [...tx.table('services').range([node.Node])].map(withoutNode),
    Checks: [...tx.table('checks').range([node.Node])],
  };
}
