import { type Command, CommandFailure } from '../command.ts';
import { requireKindAndName } from './config-api.ts';

export const configDelete: Command = {
  usage: '[options] -kind <config kind> -name <config name>',
  description: `Deletes a configuration entry. One that others need is refused.

    $ heddle config delete -kind service-defaults -name web`,
  groups: ['client', 'server', 'tenancy'],
  flags: [
    { name: 'kind', type: 'string', help: 'The kind of configuration to delete.' },
    { name: 'name', type: 'string', help: 'The name of configuration to delete.' },
  ],
  async run({ flags, client, io }) {
    const [kind, name] = [flags.string('kind'), flags.string('name')];
    requireKindAndName(kind, name);
    try {
      await client.expect('DELETE', `/v1/config/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`);
    } catch (error) {
      throw new CommandFailure(`Error deleting config entry ${kind}/${name}: ${(error as Error).message}`);
    }
    io.out(`Config entry deleted: ${kind}/${name}`);
    return 0;
  },
};
