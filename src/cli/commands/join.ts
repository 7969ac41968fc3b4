import type { Command } from '../command.ts';

export const join: Command = {
  usage: '[options] address ...',
  description: `Tells a running agent to join the gossip pool of at least one existing member, by its address.

    $ heddle join 10.0.0.5

With -wan, a server joins the pool that the servers of all datacenters share.`,
  groups: ['client'],
  flags: [{ name: 'wan', type: 'bool', help: 'Joins a server to another server in the WAN pool.' }],
  async run({ args, flags, client, io, help }) {
    if (args.length === 0) {
      io.error(`At least one address to join must be specified.\n\n${help}`);
      return 1;
    }
    let joined = 0;
    for (const address of args) {
      try {
        await client.expect('PUT', `/v1/agent/join/${encodeURIComponent(address)}`, {
          query: { wan: flags.bool('wan') ? '1' : undefined },
        });
        joined++;
      } catch (error) {
        io.error(`Error joining address '${address}': ${(error as Error).message}`);
      }
    }
    if (joined === 0) {
      io.error('Failed to join any nodes.');
      return 1;
    }
    io.out(`Successfully joined cluster by contacting ${joined} nodes.`);
    return 0;
  },
};
