import { type Command, CommandFailure } from '../command.ts';

export const info: Command = {
  usage: '[options]',
  description: 'Prints the counters of a running agent: its role, its Raft, its gossip pools, its process.',
  groups: ['client'],
  flags: [],
  async run({ client, io }) {
    let self: { Stats: Record<string, Record<string, string>> };
    try {
      self = await client.json('GET', '/v1/agent/self');
    } catch (error) {
      throw new CommandFailure(`Error querying agent: ${(error as Error).message}`);
    }
    for (const section of Object.keys(self.Stats).sort()) {
      io.out(`${section}:`);
      for (const [key, value] of Object.entries(self.Stats[section]!).sort()) io.out(`\t${key} = ${value}`);
    }
    return 0;
  },
};
