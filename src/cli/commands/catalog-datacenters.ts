import { type Command, CommandFailure } from '../command.ts';

export const catalogDatacenters: Command = {
  usage: '[options]',
  description: 'Lists the known datacenters, nearest first.',
  groups: ['client', 'server'],
  flags: [],
  async run({ args, client, io }) {
    if (args.length > 0) throw new CommandFailure(`Too many arguments (expected 0, got ${args.length})`);
    try {
      for (const name of await client.json<string[]>('GET', '/v1/catalog/datacenters')) io.out(name);
    } catch (error) {
      throw new CommandFailure(`Error listing datacenters: ${(error as Error).message}`);
    }
    return 0;
  },
};
