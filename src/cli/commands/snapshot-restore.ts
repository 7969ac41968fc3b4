import { readFile } from 'node:fs/promises';
import { type Command, CommandFailure } from '../command.ts';
import { fileErrorText } from '../http-client.ts';

export const snapshotRestore: Command = {
  usage: '[options] FILE',
  description: `Replaces the state of the servers by that of a snapshot file. A file that does not verify changes nothing.

    $ heddle snapshot restore backup.snap`,
  groups: ['client', 'server'],
  flags: [],
  async run({ args, client, io }) {
    if (args.length === 0) throw new CommandFailure('Missing FILE argument');
    if (args.length > 1) throw new CommandFailure(`Too many arguments (expected 1, got ${args.length})`);
    const body = await readFile(args[0]!).catch((error: Error) => {
      throw new CommandFailure(`Error opening snapshot file: ${fileErrorText(args[0]!, error)}`);
    });
    try {
      await client.expect('PUT', '/v1/snapshot', { body });
    } catch (error) {
      throw new CommandFailure(`Error restoring snapshot: ${(error as Error).message}`);
    }
    io.out('Restored snapshot');
    return 0;
  },
};
