import { type Command, CommandFailure } from '../command.ts';

export const intentionCheck: Command = {
  usage: '[options] SRC DST',
  description: `Checks whether a connection between two services would be allowed by the intentions in force.

    $ heddle intention check web db

Exits with 0 and prints "Allowed", or with 1 and prints "Denied"; with 2 when the answer is not known.`,
  groups: ['client', 'server', 'tenancy'],
  flags: [],
  usageExit: 2,
  async run({ args, client, io }) {
    if (args.length !== 2) throw new CommandFailure('Error: command requires exactly two arguments: src and dst', 2);
    const [source, destination] = args as [string, string];
    let allowed: boolean;
    try {
      ({ Allowed: allowed } = await client.json<{ Allowed: boolean }>('GET', '/v1/connect/intentions/check', {
        query: { source, destination },
      }));
    } catch (error) {
      throw new CommandFailure(`Error checking the connection: ${(error as Error).message}`, 2);
    }
    io.out(allowed ? 'Allowed' : 'Denied');
    return allowed ? 0 : 1;
  },
};
