import { type Command, CommandFailure } from '../command.ts';
import { servicesOfFiles } from '../service-files.ts';

export const servicesDeregister: Command = {
  usage: '[options] [FILE...]',
  description: `Deregisters services from the agent: by ID, or those of definition files.

    $ heddle services deregister -id web

    $ heddle services deregister web.json`,
  groups: ['client', 'server', 'tenancy'],
  flags: [{ name: 'id', type: 'string', help: 'ID to delete. This must not be set if arguments are given.' }],
  async run({ args, flags, client, io }) {
    const id = flags.string('id');
    if (args.length === 0 && id === '')
      throw new CommandFailure('Service deregistration requires at least one argument or -id.');
    if (args.length > 0 && id !== '')
      throw new CommandFailure('Service deregistration requires arguments or -id, not both.');
    const ids = id !== '' ? [id] : (await servicesOfFiles(args)).map((service) => service.ID || service.Name);
    for (const each of ids) {
      try {
        await client.expect('PUT', `/v1/agent/service/deregister/${encodeURIComponent(each)}`);
      } catch (error) {
        throw new CommandFailure(`Error deregistering service ${JSON.stringify(each)}: ${(error as Error).message}`);
      }
      io.out(`Deregistered service: ${each}`);
    }
    return 0;
  },
};
