import { type Command, CommandFailure } from '../command.ts';
import { compileRegExp } from '../output.ts';

export const event: Command = {
  usage: '[options] [payload]',
  description: `Sends a user event to the pool. It can be limited to nodes, services and tags by regular expressions.

    $ heddle event -name=deploy -service=web "v1.4.2"`,
  groups: ['client'],
  flags: [
    { name: 'name', type: 'string', help: 'Name of the event.' },
    { name: 'node', type: 'string', help: 'Regular expression to filter on node names.' },
    { name: 'service', type: 'string', help: 'Regular expression to filter on service instances.' },
    { name: 'tag', type: 'string', help: 'Regular expression to filter on service tags. Must be used with -service.' },
  ],
  async run({ args, flags, client, io, help }) {
    const name = flags.string('name');
    if (name === '' || args.length > 1) {
      io.error(
        `${name === '' ? 'Event name must be specified' : 'Too many command line arguments. Specify one.'}\n\n${help}`,
      );
      return 1;
    }
    const query: Record<string, string | undefined> = {};
    for (const flag of ['node', 'service', 'tag']) {
      if (flags.string(flag) === '') continue;
      compileRegExp(flags.string(flag), `Failed to compile ${flag} filter regexp`);
      query[flag] = flags.string(flag);
    }
    if (query.tag !== undefined && query.service === undefined)
      throw new CommandFailure('Cannot provide tag filter without service filter.');
    try {
      const fired = await client.json<{ ID: string }>('PUT', `/v1/event/fire/${encodeURIComponent(name)}`, {
        query,
        body: args[0] ?? '',
      });
      io.out(`Event ID: ${fired.ID}`);
    } catch (error) {
      throw new CommandFailure(`Error firing event: ${(error as Error).message}`);
    }
    return 0;
  },
};
