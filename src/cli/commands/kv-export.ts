import { type Command, CommandFailure } from '../command.ts';
import { kvPath } from './kv-get.ts';

export const kvExport: Command = {
  usage: '[options] [PREFIX]',
  description: `Prints the key-value pairs below a prefix as JSON, for "heddle kv import".

    $ heddle kv export vault > vault.json`,
  groups: ['client', 'server', 'tenancy'],
  flags: [],
  async run({ args, client, io }) {
    if (args.length > 1) throw new CommandFailure(`Too many arguments (expected 1, got ${args.length})`);
    const prefix = (args[0] ?? '').replace(/^\//, '');
    try {
      const response = await client.send('GET', kvPath(prefix), { query: { recurse: '' } });
      if (response.status !== 200 && response.status !== 404)
        throw new Error(`Unexpected response code: ${response.status} (${response.body.toString().trim()})`);
      const pairs =
        response.status === 404
          ? []
          : (JSON.parse(response.body.toString()) as { Key: string; Flags: number; Value: string | null }[]);
      io.out(
        JSON.stringify(
          pairs.map(({ Key, Flags, Value }) => ({ key: Key, flags: Flags, value: Value ?? '' })),
          null,
          '\t',
        ),
      );
    } catch (error) {
      throw new CommandFailure(`Error querying Heddle agent: ${(error as Error).message}`);
    }
    return 0;
  },
};
