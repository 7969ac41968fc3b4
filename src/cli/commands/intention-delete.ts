import { type Command, CommandFailure } from '../command.ts';
import { findIntention } from './intention-api.ts';

export const intentionDelete: Command = {
  usage: '[options] SRC DST\nUsage: heddle intention delete [options] ID',
  description: `Deletes one intention, by its source and destination or by its ID.

    $ heddle intention delete web db`,
  groups: ['client', 'server', 'tenancy'],
  flags: [],
  async run({ args, client, io }) {
    const found = await findIntention(client, args);
    try {
      // One with an ID is deleted by it: the way that works whatever its siblings carry.
      if (found.ID) await client.expect('DELETE', `/v1/connect/intentions/${found.ID}`);
      else {
        const query = { source: found.SourceName, destination: found.DestinationName };
        await client.expect('DELETE', '/v1/connect/intentions/exact', { query });
      }
    } catch (error) {
      throw new CommandFailure(`Error deleting the intention: ${(error as Error).message}`);
    }
    io.out('Intention deleted.');
    return 0;
  },
};
