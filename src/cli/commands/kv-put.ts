import { decodeBase64 } from '../../std/base64.ts';
import { type Command, CommandFailure } from '../command.ts';
import { dataArgument } from '../data-argument.ts';
import { kvPath } from './kv-get.ts';

export const kvPut: Command = {
  usage: '[options] KEY [DATA]',
  description: `Writes the data to the given path in the key-value store. The data can be of any type.

    $ heddle kv put config/leader/name sally

    $ heddle kv put config/leader/name @name.txt

    $ cat name.txt | heddle kv put config/leader/name -

A value is written only if nobody changed the key in between (check-and-set):

    $ heddle kv put -cas -modify-index=844 config/leader/name max`,
  groups: ['client', 'server', 'tenancy'],
  flags: [
    {
      name: 'acquire',
      type: 'bool',
      help: 'Obtain a lock on the key. If the key does not exist, this operation will create the key and obtain the lock. The session must already exist and be specified via the -session flag. The default value is false.',
    },
    { name: 'base64', type: 'bool', help: 'Treat the data as base 64 encoded. The default value is false.' },
    {
      name: 'cas',
      type: 'bool',
      help: 'Perform a Check-And-Set operation. Specifying this value also requires the -modify-index flag to be set. The default value is false.',
    },
    {
      name: 'flags',
      type: 'uint',
      default: 0,
      help: 'Unsigned integer value to assign to this key-value pair. This value is not read by Heddle, so clients can use this value however makes sense for their use case. The default value is 0 (no flags).',
    },
    {
      name: 'modify-index',
      type: 'uint',
      default: 0,
      help: 'Unsigned integer representing the ModifyIndex of the key. This is used in combination with the -cas flag.',
    },
    {
      name: 'release',
      type: 'bool',
      help: 'Forfeit the lock on the key at the given path. This requires the -session flag to be set. The key must be held by the session in order to be unlocked. The default value is false.',
    },
    {
      name: 'session',
      type: 'string',
      default: '',
      help: 'User-defined identifer for this session as a string. This is commonly used with the -acquire and -release operations to build robust locking, but it can be set on any key. The default value is empty (no session).',
    },
  ],
  async run({ args, flags, client, io }) {
    if (args.length === 0) throw new CommandFailure('Error! Missing KEY argument');
    if (args.length > 2) throw new CommandFailure(`Error! Too many arguments (expected 1 or 2, got ${args.length})`);
    const key = args[0]!;
    const session = flags.string('session');
    const [acquire, release, cas] = [flags.bool('acquire'), flags.bool('release'), flags.bool('cas')];
    if ((acquire || release) && session === '')
      throw new CommandFailure('Error! Missing -session (required with -acquire and -release)');
    if (key.startsWith('/'))
      throw new CommandFailure(`Error! Failed writing data: Invalid key. Key must not begin with a '/': ${key}`);
    let body = await dataArgument(args[1] ?? '', io);
    if (flags.bool('base64')) {
      // The reference prints this error, writes an empty value and succeeds; a write that was asked for wrongly is refused here.
      const decoded = decodeBase64(Buffer.from(body).toString('latin1'));
      if (!decoded.ok) throw new CommandFailure(`Error! Cannot base 64 decode data: ${decoded.error}`);
      body = decoded.value;
    }
    const query: Record<string, string> = {};
    if (flags.given('flags')) query.flags = flags.string('flags');
    if (cas) query.cas = String(flags.number('modify-index'));
    else if (acquire) query.acquire = session;
    else if (release) query.release = session;
    let written: boolean;
    try {
      written = await client.json<boolean>('PUT', kvPath(key), { query, body });
    } catch (error) {
      throw new CommandFailure(`Error! Failed writing data: ${(error as Error).message}`);
    }
    if (written) {
      io.out(
        acquire
          ? `Success! Lock acquired on: ${key}`
          : release
            ? `Success! Lock released on: ${key}`
            : `Success! Data written to: ${key}`,
      );
      return 0;
    }
    if (acquire) throw new CommandFailure('Error! Did not acquire lock');
    if (release) throw new CommandFailure('Error! Did not release lock');
    if (flags.number('modify-index') === 0)
      throw new CommandFailure(`Error! Did not write to ${key}: CAS performed with index=0 and key already exists.`);
    throw new CommandFailure(`Error! Did not write to ${key}: CAS failed`);
  },
};
