import { type Command, CommandFailure } from '../command.ts';

export const operatorRaftRemovePeer: Command = {
  usage: '[options]',
  description: `Removes a server from the Raft configuration: for one that is gone for good.

    $ heddle operator raft remove-peer -id=11111111-2222-3333-4444-555555555555`,
  groups: ['client', 'server'],
  flags: [
    { name: 'address', type: 'string', help: 'The address to remove from the Raft configuration.' },
    { name: 'id', type: 'string', help: 'The ID to remove from the Raft configuration.' },
  ],
  async run({ flags, client, io }) {
    const [id, address] = [flags.string('id'), flags.string('address')];
    if (id === '' && address === '')
      throw new CommandFailure('Error removing peer: an address or id is required for the peer to remove');
    if (id !== '' && address !== '')
      throw new CommandFailure('Error removing peer: cannot give both an address and id');
    try {
      await client.expect('DELETE', '/v1/operator/raft/peer', { query: id === '' ? { address } : { id } });
    } catch (error) {
      throw new CommandFailure(`Error removing peer: ${(error as Error).message}`);
    }
    io.out(`Removed peer with ${id === '' ? `address "${address}"` : `id "${id}"`}`);
    return 0;
  },
};
