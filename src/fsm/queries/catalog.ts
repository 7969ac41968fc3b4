/** Reads of the catalog: nodes, services, and the instances of one service in the flat form. Index rules beside each. */
import type { CatalogService, CheckServiceNode, Node, NodeService } from '../../structs/index.ts';
import { query, type ReadTx } from '../contract.ts';
import { connectIndex, connectInstancesOf, instancesOf, serviceIndex, tablesIndex, withoutNode } from './instances.ts';
import { hasMeta, hasNoPairs, type Selection, select } from './selection.ts';

export interface NodeSelection {
  readonly nodeMeta?: Readonly<Record<string, string>>;
}

/** By name. Index: the nodes table. */
export const catalogNodes = query<NodeSelection, readonly Node[]>({
  name: 'catalog.nodes',
  run(tx, { nodeMeta }) {
    const index = tx.table('nodes').index();
    const all = tx.memo('nodes', index, (view) => [...view.table('nodes').range([])]);
    return { index, value: hasNoPairs(nodeMeta) ? all : all.filter((node) => hasMeta(node, nodeMeta)) };
  },
});

/** Names in use with the union of their tags. Index: the services table; with node metadata also nodes. */
export const catalogServices = query<NodeSelection, Readonly<Record<string, readonly string[]>>>({
  name: 'catalog.services',
  run(tx, { nodeMeta }) {
    if (hasNoPairs(nodeMeta)) {
      const index = tx.table('services').index();
      return { index, value: tx.memo('service-names', index, (view) => tagsByName(view, undefined)) };
    }
    return { index: tablesIndex(tx, ['nodes', 'services']), value: tagsByName(tx.unwatched, nodeMeta) };
  },
});

function tagsByName(tx: ReadTx, nodeMeta: NodeSelection['nodeMeta']): Readonly<Record<string, readonly string[]>> {
  const tags = new Map<string, Set<string>>();
  for (const row of tx.table('services').by('service', [])) {
    if (!hasNoPairs(nodeMeta)) {
      const node = tx.table('nodes').get([row.Node]);
      if (node === undefined || !hasMeta(node, nodeMeta)) continue;
    }
    const of = tags.get(row.Service) ?? new Set();
    for (const tag of row.Tags ?? []) of.add(tag);
    tags.set(row.Service, of);
  }
  return Object.fromEntries([...tags].map(([name, of]) => [name, [...of]]));
}

export interface ServiceSelection extends Selection {
  readonly name: string;
}

/** Index: the service's own counter (instances.ts). */
export const catalogService = query<ServiceSelection, readonly CatalogService[]>({
  name: 'catalog.service',
  run(tx, { name, ...selection }) {
    const found = instancesOf(tx, name);
    const index = serviceIndex(tx, name, { found: found.length > 0, tables: ['nodes', 'services'] });
    return { index, value: flatten(found, selection) };
  },
});

/**
 * Instances that serve mutual TLS for the name. Index: the name's own counter as well as those of the instances found: the
 * reference reports the first alone, and so misses changes of the proxies.
 */
export const catalogConnect = query<ServiceSelection, readonly CatalogService[]>({
  name: 'catalog.connect',
  run(tx, { name, ...selection }) {
    const found = connectInstancesOf(tx, name);
    const own = serviceIndex(tx, name, { found: found.length > 0, tables: ['nodes', 'services'] });
    const index = found.length === 0 ? own : Math.max(own, connectIndex(tx, name, found, ['nodes', 'services']));
    return { index, value: flatten(found, selection) };
  },
});

const flattened = new WeakMap<readonly CheckServiceNode[], readonly CatalogService[]>();

function flatten(found: readonly CheckServiceNode[], selection: Selection): readonly CatalogService[] {
  const kept = select(found, selection);
  const known = flattened.get(kept);
  if (known !== undefined) return known;
  const flat = kept.map(toCatalogService);
  flattened.set(kept, flat);
  return flat;
}

function toCatalogService({ Node: node, Service: service }: CheckServiceNode): CatalogService {
  return {
    ID: node.ID,
    Node: node.Node,
    Address: node.Address,
    Datacenter: node.Datacenter,
    TaggedAddresses: node.TaggedAddresses,
    NodeMeta: node.Meta,
    ServiceKind: service.Kind,
    ServiceID: service.ID,
    ServiceName: service.Service,
    ServiceTags: service.Tags,
    ServiceAddress: service.Address,
    ServiceTaggedAddresses: service.TaggedAddresses,
    ServiceWeights: service.Weights,
    ServiceMeta: service.Meta,
    ServicePort: service.Port,
    ServiceSocketPath: service.SocketPath,
    ServiceEnableTagOverride: service.EnableTagOverride,
    ServiceProxy: service.Proxy,
    ServiceConnect: service.Connect,
    CreateIndex: service.CreateIndex,
    ModifyIndex: service.ModifyIndex,
  };
}

/** A node with the services on it, by service id; null when there is none of that name or id. */
export interface NodeServices {
  readonly Node: Node;
  readonly Services: readonly NodeService[];
}

/**
 * The node of that name, else of that id, else of the one id that begins so (two characters at least). Index: nodes and
 * services tables; 0 for an unknown node.
 */
export const catalogNode = query<{ readonly node: string }, NodeServices | null>({
  name: 'catalog.node',
  run(tx, { node: text }) {
    const index = tablesIndex(tx, ['nodes', 'services']);
    const node = findNode(tx.unwatched, text);
    if (node === undefined) return { index: 0, value: null };
    const Services = [...tx.unwatched.table('services').range([node.Node])].map(withoutNode);
    return { index, value: { Node: node, Services } };
  },
});

function findNode(tx: ReadTx, text: string): Node | undefined {
  const nodes = tx.table('nodes');
  const named = nodes.get([text]);
  if (named !== undefined) return named;
  if (text.length < 2 || !/^[0-9a-f-]+$/i.test(text)) return undefined;
  const prefix = text.toLowerCase();
  const matches: Node[] = [];
  for (const node of nodes.by('id', [])) if (node.ID.toLowerCase().startsWith(prefix)) matches.push(node);
  return matches.length === 1 ? matches[0] : undefined;
}
