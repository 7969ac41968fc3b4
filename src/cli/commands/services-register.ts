import { type Command, CommandFailure } from '../command.ts';
import type { FlagValues } from '../flags.ts';
import { splitHostPort } from '../http-client.ts';
import { servicesOfFiles } from '../service-files.ts';

export const servicesRegister: Command = {
  usage: '[options] [FILE...]',
  description: `Registers services with the agent: from flags, or from definition files as an agent reads them.

    $ heddle services register -name=web

    $ heddle services register web.json db.hcl

Such a service is not part of the agent's configuration: it is kept by the agent until it is deregistered.`,
  groups: ['client', 'server', 'tenancy'],
  flags: [
    { name: 'address', type: 'string', help: 'Address of the service to register for arg-based registration.' },
    {
      name: 'id',
      type: 'string',
      help: "ID of the service to register for arg-based registration. If this isn't set, it will default to the -name value.",
    },
    { name: 'kind', type: 'string', help: 'The services "kind"' },
    {
      name: 'meta',
      type: 'map',
      help: 'Metadata to set on the service, formatted as key=value. This flag may be specified multiple times to set multiple meta fields.',
    },
    { name: 'name', type: 'string', help: 'Name of the service to register for arg-based registration.' },
    { name: 'port', type: 'int', default: 0, help: 'Port of the service to register for arg-based registration.' },
    {
      name: 'socket',
      type: 'string',
      help: 'Path to the Unix domain socket to register for arg-based registration (conflicts with address and port).',
    },
    {
      name: 'tag',
      type: 'list',
      help: 'Tag to add to the service. This flag can be specified multiple times to set multiple tags.',
    },
    {
      name: 'tagged-address',
      type: 'map',
      help: 'Tagged address to set on the service, formatted as key=value. This flag may be specified multiple times to set multiple addresses.',
    },
  ],
  async run({ args, flags, client, io }) {
    const name = flags.string('name');
    if (args.length === 0 && name === '')
      throw new CommandFailure('Service registration requires at least one argument or flags.');
    if (args.length > 0 && name !== '')
      throw new CommandFailure('Service registration requires arguments or -id, not both.');
    const services = name !== '' ? [fromFlags(flags)] : await servicesOfFiles(args);
    for (const service of services) {
      try {
        await client.expect('PUT', '/v1/agent/service/register', { body: JSON.stringify(service) });
      } catch (error) {
        throw new CommandFailure(
          `Error registering service ${JSON.stringify(service.Name)}: ${(error as Error).message}`,
        );
      }
      io.out(`Registered service: ${service.Name}`);
    }
    return 0;
  },
};

function fromFlags(flags: FlagValues): { readonly Name: string; readonly [key: string]: unknown } {
  const addresses = Object.entries(flags.map('tagged-address')).map(([key, value]) => {
    const port = /:([^:\]]*)$/.exec(value)?.[1] ?? '';
    if (port !== '' && !/^\d+$/.test(port))
      throw new CommandFailure(`Invalid Tagged Address: strconv.Atoi: parsing ${JSON.stringify(port)}: invalid syntax`);
    const { host, port: number } = splitHostPort(value, 0);
    return [key, { Address: host, Port: number }];
  });
  return {
    ...(flags.given('kind') ? { Kind: flags.string('kind') } : {}),
    ...(flags.given('id') ? { ID: flags.string('id') } : {}),
    Name: flags.string('name'),
    Address: flags.string('address'),
    Port: flags.number('port'),
    SocketPath: flags.string('socket'),
    Tags: flags.list('tag'),
    Meta: flags.map('meta'),
    ...(addresses.length > 0 ? { TaggedAddresses: Object.fromEntries(addresses) } : {}),
  };
}
