import { type Command, CommandFailure } from '../command.ts';

export const catalogServices: Command = {
  usage: '[options]',
  description: `Lists the services registered in a datacenter.

    $ heddle catalog services -tags

    $ heddle catalog services -node=worker-01`,
  groups: ['client', 'server', 'tenancy'],
  flags: [
    { name: 'node', type: 'string', placeholder: 'id or name', help: 'Node `id or name` for which to list services.' },
    {
      name: 'node-meta',
      type: 'map',
      placeholder: 'key=value',
      help: 'Metadata to filter nodes with the given `key=value` pairs. If specified, only services running on nodes matching the given metadata will be returned. This flag may be specified multiple times to filter on multiple sources of metadata.',
    },
    {
      name: 'tags',
      type: 'bool',
      help: "Display each service's tags as a comma-separated list beside each service entry.",
    },
  ],
  async run({ args, flags, client, io }) {
    if (args.length > 0) throw new CommandFailure(`Too many arguments (expected 0, got ${args.length})`);
    const services = new Map<string, Set<string>>();
    const add = (name: string, tags: readonly string[] | null): void => {
      const known = services.get(name) ?? new Set();
      for (const tag of tags ?? []) known.add(tag);
      services.set(name, known);
    };
    const query = { 'node-meta': Object.entries(flags.map('node-meta')).map(([key, value]) => `${key}:${value}`) };
    try {
      if (flags.given('node')) {
        const path = `/v1/catalog/node/${encodeURIComponent(flags.string('node'))}`;
        const node = await client.json<{ Services: Record<string, { Service: string; Tags: string[] | null }> } | null>(
          'GET',
          path,
          { query },
        );
        for (const service of Object.values(node?.Services ?? {})) add(service.Service, service.Tags);
      } else {
        const all = await client.json<Record<string, string[]>>('GET', '/v1/catalog/services', { query });
        for (const [name, tags] of Object.entries(all)) add(name, tags);
      }
    } catch (error) {
      throw new CommandFailure(`Error listing services: ${(error as Error).message}`);
    }
    if (services.size === 0) {
      io.error('No services match the given query - try expanding your search.');
      return 0;
    }
    const names = [...services.keys()].sort();
    const longest = Math.max(...names.map((name) => name.length));
    for (const name of names)
      io.out(flags.bool('tags') ? name.padEnd(longest + 6) + [...services.get(name)!].sort().join(',') : name);
    return 0;
  },
};
