import { type Command, CommandFailure } from '../command.ts';
import { describe, type Intention } from './intention-api.ts';

export const intentionMatch: Command = {
  usage: '[options] SRC|DST',
  description: `Shows the intentions that match a source or a destination, in the order in which they are evaluated.

    $ heddle intention match db

    $ heddle intention match -source web`,
  groups: ['client', 'server', 'tenancy'],
  flags: [
    { name: 'destination', type: 'bool', help: 'Match intentions by destination. This is the default.' },
    { name: 'source', type: 'bool', help: 'Match intentions by source.' },
  ],
  usageExit: 2,
  async run({ args, flags, client, io }) {
    if (args.length !== 1) throw new CommandFailure('Error: command requires exactly one argument: src or dst');
    if (flags.bool('source') && flags.bool('destination'))
      throw new CommandFailure('Error: only one of -source or -destination may be specified');
    const name = args[0]!;
    let found: Readonly<Record<string, readonly Intention[]>>;
    try {
      found = await client.json('GET', '/v1/connect/intentions/match', {
        query: { by: flags.bool('source') ? 'source' : 'destination', name },
      });
    } catch (error) {
      throw new CommandFailure(`Error matching the connection: ${(error as Error).message}`);
    }
    for (const intention of found[name] ?? []) io.out(describe(intention));
    return 0;
  },
};
