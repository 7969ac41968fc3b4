import { type Command, CommandFailure } from '../command.ts';
import { table } from '../output.ts';

interface CatalogNode {
  readonly ID: string;
  readonly Node: string;
  readonly Address: string;
  readonly Datacenter: string;
  readonly TaggedAddresses: Readonly<Record<string, string>> | null;
  readonly Meta: Readonly<Record<string, string>> | null;
}

export const catalogNodes: Command = {
  usage: '[options]',
  description: `Lists the nodes of a datacenter.

    $ heddle catalog nodes

    $ heddle catalog nodes -service=web -detailed`,
  groups: ['client', 'server'],
  flags: [
    {
      name: 'detailed',
      type: 'bool',
      help: 'Output detailed information about the nodes including their addresses and metadata.',
    },
    { name: 'filter', type: 'string', help: 'Filter to use with the request.' },
    {
      name: 'near',
      type: 'string',
      help: 'Node name to sort the node list in ascending order based on estimated round-trip time from that node. Passing "_agent" will use this agent\'s node for sorting.',
    },
    {
      name: 'node-meta',
      type: 'map',
      placeholder: 'key=value',
      help: 'Metadata to filter nodes with the given `key=value` pairs. This flag may be specified multiple times to filter on multiple sources of metadata.',
    },
    {
      name: 'service',
      type: 'string',
      placeholder: 'id or name',
      help: 'Service `id or name` to filter nodes. Only nodes which are providing the given service will be returned.',
    },
  ],
  async run({ args, flags, client, io }) {
    if (args.length > 0) throw new CommandFailure(`Too many arguments (expected 0, got ${args.length})`);
    const query = {
      filter: flags.given('filter') ? flags.string('filter') : undefined,
      near: flags.given('near') ? flags.string('near') : undefined,
      'node-meta': Object.entries(flags.map('node-meta')).map(([key, value]) => `${key}:${value}`),
    };
    let nodes: CatalogNode[];
    try {
      const path = flags.given('service')
        ? `/v1/catalog/service/${encodeURIComponent(flags.string('service'))}`
        : '/v1/catalog/nodes';
      nodes = await client.json('GET', path, { query });
      if (flags.given('service'))
        nodes = ofService(nodes as unknown as (CatalogNode & { NodeMeta: CatalogNode['Meta'] })[]);
    } catch (error) {
      throw new CommandFailure(`Error listing nodes: ${(error as Error).message}`);
    }
    if (nodes.length === 0) {
      io.error('No nodes match the given query - try expanding your search.');
      return 0;
    }
    if (!flags.given('near')) nodes.sort((a, b) => (a.Node < b.Node ? -1 : 1));
    const header = ['Node', 'ID', 'Address', 'DC'];
    io.out(
      flags.bool('detailed')
        ? table([
            [...header, 'TaggedAddresses', 'Meta'],
            ...nodes.map((node) => [
              node.Node,
              node.ID,
              node.Address,
              node.Datacenter,
              pairs(node.TaggedAddresses),
              pairs(node.Meta),
            ]),
          ])
        : table([header, ...nodes.map((node) => [node.Node, node.ID.split('-')[0]!, node.Address, node.Datacenter])]),
    );
    return 0;
  },
};

/** Instances of a service to the nodes they run on, each once. */
function ofService(instances: readonly (CatalogNode & { readonly NodeMeta: CatalogNode['Meta'] })[]): CatalogNode[] {
  const byName = new Map(instances.map((instance) => [instance.Node, { ...instance, Meta: instance.NodeMeta }]));
  return [...byName.values()];
}

function pairs(map: Readonly<Record<string, string>> | null): string {
  return Object.entries(map ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(', ');
}
