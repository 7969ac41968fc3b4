import { posix } from 'node:path';
import { decodeBase64 } from '../../std/base64.ts';
import { type Command, CommandFailure } from '../command.ts';
import { dataArgument } from '../data-argument.ts';
import { kvPath } from './kv-get.ts';

interface Exported {
  readonly key: string;
  readonly flags?: number;
  readonly value?: string;
}

export const kvImport: Command = {
  usage: '[DATA]',
  description: `Imports key-value pairs from the JSON that "heddle kv export" prints.

    $ heddle kv import @filename.json

    $ cat filename.json | heddle kv import -`,
  groups: ['client', 'server', 'tenancy'],
  flags: [
    {
      name: 'prefix',
      type: 'string',
      default: '',
      help: 'Key prefix for imported data. The default value is empty meaning root.',
    },
  ],
  async run({ args, flags, client, io }) {
    if (args.length === 0) throw new CommandFailure('Error! Missing DATA argument');
    if (args.length > 1) throw new CommandFailure(`Too many arguments (expected 1, got ${args.length})`);
    if (args[0] === '') throw new CommandFailure('Error! Empty DATA argument');
    const text = Buffer.from(await dataArgument(args[0]!, io)).toString('utf8');
    for (const { key, flags: keyFlags, value } of parse(text)) {
      const decoded = decodeBase64(value ?? '');
      if (!decoded.ok) throw new CommandFailure(`Error base 64 decoding value for key ${key}: ${decoded.error}`);
      const full = flags.string('prefix') === '' ? key : posix.join(flags.string('prefix'), key);
      try {
        await client.expect('PUT', kvPath(full), { query: { flags: String(keyFlags ?? 0) }, body: decoded.value });
      } catch (error) {
        throw new CommandFailure(`Error! Failed writing data for key ${full}: ${(error as Error).message}`);
      }
      io.out(`Imported: ${full}`);
    }
    return 0;
  },
};

function parse(text: string): readonly Exported[] {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    const short = /end of|Unterminated/.test((error as Error).message) || text.trim() === '{';
    throw new CommandFailure(
      `Cannot unmarshal data: ${short ? 'unexpected end of JSON input' : (error as Error).message}`,
    );
  }
  const isPair = (each: unknown): boolean => typeof (each as Exported | null)?.key === 'string';
  if (!Array.isArray(data) || !data.every(isPair)) {
    throw new CommandFailure(
      'Cannot unmarshal data: it is not a list of objects with a "key", as "heddle kv export" prints it',
    );
  }
  return data as Exported[];
}
