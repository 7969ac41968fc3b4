import { type Command, CommandFailure } from '../command.ts';
import { reasonOf, requireKindAndName, withoutEmpty } from './config-api.ts';

export const configRead: Command = {
  usage: '[options] -kind <config kind> -name <config name>',
  description: `Prints a configuration entry as JSON.

    $ heddle config read -kind proxy-defaults -name global`,
  groups: ['client', 'server', 'tenancy'],
  flags: [
    { name: 'kind', type: 'string', help: 'The kind of configuration to read.' },
    { name: 'name', type: 'string', help: 'The name of configuration to read.' },
  ],
  async run({ flags, client, io }) {
    const [kind, name] = [flags.string('kind'), flags.string('name')];
    requireKindAndName(kind, name);
    try {
      const entry = await client.json<Record<string, unknown>>(
        'GET',
        `/v1/config/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`,
      );
      io.out(JSON.stringify(withoutEmpty(entry), null, 4));
    } catch (error) {
      throw new CommandFailure(`Error reading config entry ${kind}/${name}: ${reasonOf(error)}`);
    }
    return 0;
  },
};
