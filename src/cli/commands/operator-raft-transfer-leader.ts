import { type Command, CommandFailure } from '../command.ts';

export const operatorRaftTransferLeader: Command = {
  usage: '[options]',
  description: `Hands leadership to another server, without an election timeout.

    $ heddle operator raft transfer-leader -id=11111111-2222-3333-4444-555555555555`,
  groups: ['client', 'server'],
  flags: [
    {
      name: 'id',
      type: 'string',
      help: 'The ID of the server to become leader. By default the leader picks the one whose log is most complete.',
    },
  ],
  async run({ flags, client, io }) {
    try {
      await client.expect('POST', '/v1/operator/raft/transfer-leader', {
        query: { id: flags.given('id') ? flags.string('id') : undefined },
      });
    } catch (error) {
      throw new CommandFailure(`Error transferring leadership: ${(error as Error).message}`);
    }
    io.out('Success');
    return 0;
  },
};
