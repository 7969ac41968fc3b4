import { type Command, CommandFailure } from '../command.ts';
import { kvPath } from './kv-get.ts';

export const kvDelete: Command = {
  usage: '[options] KEY_OR_PREFIX',
  description: `Removes a key, or everything below a prefix.

    $ heddle kv delete redis/config/connections

    $ heddle kv delete -recurse redis/`,
  groups: ['client', 'server', 'tenancy'],
  flags: [
    {
      name: 'cas',
      type: 'bool',
      help: 'Perform a Check-And-Set operation. Specifying this value also requires the -modify-index flag to be set. The default value is false.',
    },
    {
      name: 'modify-index',
      type: 'uint',
      default: 0,
      help: 'Unsigned integer representing the ModifyIndex of the key. This is used in combination with the -cas flag.',
    },
    { name: 'recurse', type: 'bool', help: 'Recursively delete all keys with the path. The default value is false.' },
  ],
  async run({ args, flags, client, io }) {
    if (args.length > 1) throw new CommandFailure(`Too many arguments (expected 1, got ${args.length})`);
    const [cas, recurse, index] = [flags.bool('cas'), flags.bool('recurse'), flags.number('modify-index')];
    const key = (args[0] ?? '').replace(/^\//, '');
    if (key === '' && !recurse) throw new CommandFailure('Error! Missing KEY argument');
    if (cas && recurse) throw new CommandFailure('Cannot specify both -cas and -recurse!');
    if (cas && index === 0) {
      throw new CommandFailure('Cannot delete a key that does not exist. Provide a -modify-index greater than than 0.');
    }
    if (flags.given('modify-index') && !cas) throw new CommandFailure('Cannot specify -modify-index without -cas!');
    const query = { cas: cas ? String(index) : undefined, recurse: recurse ? '' : undefined };
    let deleted: boolean;
    try {
      deleted = await client.json<boolean>('DELETE', kvPath(key), { query });
    } catch (error) {
      throw new CommandFailure(
        `Error! Did not delete ${recurse ? 'prefix' : 'key'} ${key}: ${(error as Error).message}`,
      );
    }
    if (!deleted) throw new CommandFailure(`Error! Did not delete key ${key}: CAS failed`);
    io.out(recurse ? `Success! Deleted keys with prefix: ${key}` : `Success! Deleted key: ${key}`);
    return 0;
  },
};
