import { type Command, CommandFailure } from '../command.ts';
import type { ConfigEntry } from './config-api.ts';

export const configList: Command = {
  usage: '[options] -kind <config kind>',
  description: `Lists the names of the configuration entries of a kind.

    $ heddle config list -kind service-defaults`,
  groups: ['client', 'server', 'tenancy'],
  flags: [{ name: 'kind', type: 'string', help: 'The kind of configurations to list.' }],
  async run({ flags, client, io }) {
    const kind = flags.string('kind');
    if (kind === '') throw new CommandFailure('Must specify the -kind parameter');
    try {
      for (const entry of await client.json<ConfigEntry[]>('GET', `/v1/config/${encodeURIComponent(kind)}`))
        io.out(entry.Name);
    } catch (error) {
      throw new CommandFailure(`Error listing config entries for kind "${kind}": ${(error as Error).message}`);
    }
    return 0;
  },
};
