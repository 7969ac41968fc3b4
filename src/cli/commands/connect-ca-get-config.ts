import { type Command, CommandFailure } from '../command.ts';

export const connectCaGetConfig: Command = {
  usage: '[options]',
  description: `Prints the configuration of the certificate authority.

    $ heddle connect ca get-config > ca.json`,
  groups: ['client', 'server'],
  flags: [],
  async run({ client, io }) {
    try {
      io.out(JSON.stringify(await client.json('GET', '/v1/connect/ca/configuration'), null, '\t'));
    } catch (error) {
      throw new CommandFailure(`Error querying CA configuration: ${(error as Error).message}`);
    }
    return 0;
  },
};
