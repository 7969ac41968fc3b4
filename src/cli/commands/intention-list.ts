import { type Command, CommandFailure } from '../command.ts';
import { table } from '../output.ts';
import type { Intention } from './intention-api.ts';

export const intentionList: Command = {
  usage: '[options]',
  description: `Lists all intentions, in the order of their precedence.

    $ heddle intention list`,
  groups: ['client', 'server', 'tenancy'],
  flags: [],
  async run({ args, client, io }) {
    if (args.length > 0) throw new CommandFailure(`Too many arguments (expected 0, got ${args.length})`);
    let all: readonly Intention[];
    try {
      all = await client.json('GET', '/v1/connect/intentions');
    } catch (error) {
      throw new CommandFailure(`Failed to retrieve the intentions list: ${(error as Error).message}`);
    }
    if (all.length === 0) throw new CommandFailure('There are no intentions.', 2);
    const rows = all.map((each) => [
      each.ID ?? '',
      each.SourceName,
      each.Action ?? '',
      each.DestinationName,
      String(each.Precedence),
    ]);
    io.out(table([['ID', 'Source', 'Action', 'Destination', 'Precedence'], ...rows]));
    return 0;
  },
};
