import { type Command, CommandFailure } from '../command.ts';

export const forceLeave: Command = {
  usage: '[options] name',
  description: `Forces a failed member of the pool into the "left" state, so that nobody waits for its return. A member that is
alive refutes it and stays.

    $ heddle force-leave -prune worker-01`,
  groups: ['client'],
  flags: [
    { name: 'prune', type: 'bool', help: 'Remove agent completely from list of members' },
    { name: 'wan', type: 'bool', help: 'Exclusively leave the agent from the WAN serf pool.' },
  ],
  async run({ args, flags, client, io, help }) {
    if (args.length !== 1) {
      io.error(
        `${args.length === 0 ? 'A single node name must be specified to force leave.' : `Expected one node name, got ${args.length}`}\n\n${help}`,
      );
      return 1;
    }
    try {
      await client.expect('PUT', `/v1/agent/force-leave/${encodeURIComponent(args[0]!)}`, {
        query: { prune: flags.bool('prune') ? '1' : undefined, wan: flags.bool('wan') ? '1' : undefined },
      });
    } catch (error) {
      throw new CommandFailure(`Error force leaving: ${(error as Error).message}`);
    }
    return 0;
  },
};
