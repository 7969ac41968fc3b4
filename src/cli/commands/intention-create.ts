import { readFileSync } from 'node:fs';
import { type Command, CommandFailure } from '../command.ts';
import { type ApiClient, fileErrorText } from '../http-client.ts';
import { describe, type Intention, parseTarget } from './intention-api.ts';

export const intentionCreate: Command = {
  usage: '[options] SRC DST\nUsage: heddle intention create [options] -file FILE...',
  description: `Creates one or more intentions: rules that say which service may connect to which.

    $ heddle intention create web db

    $ heddle intention create -deny web db

    $ heddle intention create -deny web '*'

A source may also be a service URI, exact or a whole trust domain:

    $ heddle intention create -allow spiffe://11111111-2222-3333-4444-555555555555.consul db

Intentions as JSON objects can be read from files:

    $ heddle intention create -file one.json two.json`,
  groups: ['client', 'server', 'tenancy'],
  flags: [
    { name: 'allow', type: 'bool', help: 'Create an intention that allows when matched.' },
    { name: 'deny', type: 'bool', help: 'Create an intention that denies when matched.' },
    { name: 'file', type: 'bool', help: 'Read intention data from one or more files.' },
    {
      name: 'meta',
      type: 'map',
      help: 'Metadata to set on the intention, formatted as key=value. This flag may be specified multiple times to set multiple meta fields.',
    },
    { name: 'replace', type: 'bool', help: 'Replace matching intentions.' },
  ],
  async run({ args, flags, client, io }) {
    if (flags.bool('allow') && flags.bool('deny'))
      throw new CommandFailure('Only one of -allow or -deny may be specified.');
    const action = flags.bool('deny') ? 'deny' : 'allow';
    const wanted = flags.bool('file') ? args.flatMap(readFile) : [fromWords(args, action, flags.map('meta'))];
    if (flags.bool('file') && args.length === 0) throw new CommandFailure('Error: -file needs at least one file');
    for (const intention of wanted) {
      if (flags.bool('replace') && (await replace(client, intention))) continue;
      try {
        await client.expect('POST', '/v1/connect/intentions', { body: JSON.stringify(intention) });
      } catch (error) {
        throw new CommandFailure(
          `Error creating intention ${JSON.stringify(describe(intention))}: ${(error as Error).message}`,
        );
      }
      io.out(`Created: ${describe(intention)}`);
    }
    return 0;
  },
};

function fromWords(args: readonly string[], action: string, meta: Readonly<Record<string, string>>): Intention {
  if (args.length !== 2) throw new CommandFailure('Error: Must specify two arguments: source and destination');
  const source = parseTarget('source', args[0]!);
  const destination = parseTarget('destination', args[1]!);
  return {
    SourceNS: source.namespace,
    SourceName: source.name,
    DestinationNS: destination.namespace,
    DestinationName: destination.name,
    SourceType: 'consul',
    Action: action,
    Meta: meta,
    Precedence: 0,
  };
}

function readFile(path: string): Intention[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandFailure(`Error: ${fileErrorText(path, error)}`);
  }
  try {
    const data = JSON.parse(text) as Intention | Intention[];
    const list = Array.isArray(data) ? data : [data];
    if (list.some((intention) => (intention.Permissions?.length ?? 0) > 0)) {
      throw new CommandFailure(`Error: ${path}: an intention with permissions is written with "heddle config write"`);
    }
    return list.map((intention) => ({
      ...intention,
      SourceNS: intention.SourceNS ?? 'default',
      DestinationNS: intention.DestinationNS ?? 'default',
    }));
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(`Error: ${path}: ${(error as Error).message}`);
  }
}

/** Whether there was one to replace. Prints nothing then, as tools of the field expect. */
async function replace(client: ApiClient, intention: Intention): Promise<boolean> {
  const query = { source: intention.SourceName, destination: intention.DestinationName };
  const found = await client.send('GET', '/v1/connect/intentions/exact', { query });
  if (found.status === 404) return false;
  const before = JSON.parse(found.body.toString()) as Intention;
  const body = JSON.stringify({ ...intention, Precedence: undefined });
  if (before.ID === undefined) await client.expect('PUT', '/v1/connect/intentions/exact', { query, body });
  else await client.expect('PUT', `/v1/connect/intentions/${before.ID}`, { body });
  return true;
}
