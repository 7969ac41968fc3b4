import { type Command, CommandFailure, type Invocation } from '../command.ts';
import { labelled } from '../output.ts';

interface KvPair {
  readonly CreateIndex: number;
  readonly Flags: number;
  readonly Key: string;
  readonly LockIndex: number;
  readonly ModifyIndex: number;
  readonly Session?: string;
  readonly Value: string | null;
}

export const kvGet: Command = {
  usage: '[options] [KEY_OR_PREFIX]',
  description: `Retrieves the value of a key, or lists keys.

To retrieve the value for the key named "foo":

    $ heddle kv get foo

To see its indexes, flags and lock as well:

    $ heddle kv get -detailed foo

To list everything below a prefix, or only the names:

    $ heddle kv get -recurse foo
    $ heddle kv get -keys foo`,
  groups: ['client', 'server', 'tenancy'],
  flags: [
    { name: 'base64', type: 'bool', help: 'Base64 encode the value. The default value is false.' },
    {
      name: 'detailed',
      type: 'bool',
      help: 'Provide additional metadata about the key in addition to the value such as the ModifyIndex and any flags that may have been set on the key. The default value is false.',
    },
    {
      name: 'keys',
      type: 'bool',
      help: 'List keys which start with the given prefix, but not their values. The default value is false.',
    },
    {
      name: 'recurse',
      type: 'bool',
      help: 'Recursively look at all keys prefixed with the given path. The default value is false.',
    },
    {
      name: 'separator',
      type: 'string',
      default: '/',
      help: "String to use as a separator between keys. The default value is '/', but this option is only taken into account when paired with the -keys flag.",
    },
  ],
  async run({ args, flags, client, io }) {
    if (args.length > 1) throw new CommandFailure(`Too many arguments (expected 1, got ${args.length})`);
    const key = (args[0] ?? '').replace(/^\//, '');
    if (key === '' && !flags.bool('recurse') && !flags.bool('keys'))
      throw new CommandFailure('Error! Missing KEY argument');
    if (flags.bool('keys')) return listKeys(key, { flags, client, io });
    if (flags.bool('recurse')) return listPairs(key, { flags, client, io });
    const pairs = await fetchPairs(client, key, {});
    if (pairs === undefined) throw new CommandFailure(`Error! No key exists at: ${key}`);
    const pair = pairs[0]!;
    if (flags.bool('detailed')) io.out(block(pair, flags.bool('base64')));
    else {
      io.write(valueText(pair, flags.bool('base64')));
      io.out('');
    }
    return 0;
  },
};

type Parts = Pick<Invocation, 'flags' | 'client' | 'io'>;

async function listKeys(prefix: string, { flags, client, io }: Parts): Promise<number> {
  const { status, body } = await query(client, prefix, { keys: '', separator: flags.string('separator') });
  if (status === 404) return 0;
  for (const key of JSON.parse(body.toString()) as string[]) io.out(key);
  return 0;
}

async function listPairs(prefix: string, { flags, client, io }: Parts): Promise<number> {
  const pairs = (await fetchPairs(client, prefix, { recurse: '' })) ?? [];
  pairs.forEach((pair, i) => {
    if (flags.bool('detailed')) {
      io.out((i > 0 ? '\n' : '') + block(pair, flags.bool('base64')));
      return;
    }
    io.write(`${pair.Key}:`);
    io.write(valueText(pair, flags.bool('base64')));
    io.out('');
  });
  return 0;
}

async function fetchPairs(
  client: Invocation['client'],
  key: string,
  parameters: Record<string, string>,
): Promise<KvPair[] | undefined> {
  const { status, body } = await query(client, key, parameters);
  return status === 404 ? undefined : (JSON.parse(body.toString()) as KvPair[]);
}

async function query(
  client: Invocation['client'],
  key: string,
  parameters: Record<string, string>,
): Promise<{ status: number; body: Buffer }> {
  let response: Awaited<ReturnType<typeof client.send>>;
  try {
    response = await client.send('GET', kvPath(key), { query: parameters });
  } catch (error) {
    throw new CommandFailure(`Error querying Heddle agent: ${(error as Error).message}`);
  }
  if (response.status !== 200 && response.status !== 404) {
    const text = response.body.toString().trim();
    throw new CommandFailure(
      `Error querying Heddle agent: Unexpected response code: ${response.status}${text === '' ? '' : ` (${text})`}`,
    );
  }
  return response;
}

/** Keys are bytes: each path segment is encoded, slashes stay. */
export function kvPath(key: string): string {
  return `/v1/kv/${key.split('/').map(encodeURIComponent).join('/')}`;
}

function valueText(pair: KvPair, base64: boolean): Uint8Array | string {
  return base64 ? (pair.Value ?? '') : Buffer.from(pair.Value ?? '', 'base64');
}

function block(pair: KvPair, base64: boolean): string {
  return labelled(
    [
      ['CreateIndex', String(pair.CreateIndex)],
      ['Flags', String(pair.Flags)],
      ['Key', pair.Key],
      ['LockIndex', String(pair.LockIndex)],
      ['ModifyIndex', String(pair.ModifyIndex)],
      ['Session', pair.Session ?? '-'],
      ['Value', base64 ? (pair.Value ?? '') : Buffer.from(pair.Value ?? '', 'base64').toString('utf8')],
    ],
    17,
  );
}
