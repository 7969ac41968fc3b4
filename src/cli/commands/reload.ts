import { type Command, CommandFailure } from '../command.ts';

export const reload: Command = {
  usage: '[options]',
  description: 'Makes the agent read its configuration and definition files again. It can also be told so with SIGHUP.',
  groups: ['client'],
  flags: [],
  async run({ client, io }) {
    try {
      await client.expect('PUT', '/v1/agent/reload');
    } catch (error) {
      throw new CommandFailure(`Error reloading: ${(error as Error).message}`);
    }
    io.out('Configuration reload triggered');
    return 0;
  },
};
