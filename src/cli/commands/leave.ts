import { type Command, CommandFailure } from '../command.ts';

export const leave: Command = {
  usage: '[options]',
  description:
    'Makes the agent leave the cluster gracefully and stop. The others learn that it left, not that it failed.',
  groups: ['client'],
  flags: [],
  async run({ args, client, io, help }) {
    if (args.length > 0) {
      io.error(`Error found unexpected args: [${args.join(' ')}]`);
      io.out(help);
      return 1;
    }
    try {
      await client.expect('PUT', '/v1/agent/leave');
    } catch (error) {
      throw new CommandFailure(`Error leaving: ${(error as Error).message}`);
    }
    io.out('Graceful leave complete');
    return 0;
  },
};
