import { type Command, CommandFailure } from '../command.ts';
import { readArgumentFile } from '../data-argument.ts';
import { decodingFailure, parseConfigEntry } from './config-api.ts';

export const configWrite: Command = {
  usage: '[options] FILE',
  description: `Writes a configuration entry, in JSON or HCL, from a file or from standard input (-).

    $ heddle config write web.service.hcl`,
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
      help: 'Unsigned integer representing the ModifyIndex of the config entry. This is used in combination with the -cas flag.',
    },
  ],
  async run({ args, flags, client, io }) {
    if (args.length !== 1)
      throw new CommandFailure('Must provide exactly one positional argument to specify the config entry to write');
    const text = Buffer.from(await load(args[0]!, io)).toString('utf8');
    const entry = parseConfigEntry(text);
    const query = { cas: flags.bool('cas') ? String(flags.number('modify-index')) : undefined };
    let written: boolean;
    try {
      written = await client.json<boolean>('PUT', '/v1/config', { query, body: JSON.stringify(entry) });
    } catch (error) {
      const refused = decodingFailure(error);
      if (refused !== null) throw new CommandFailure(`Failed to decode config entry input: ${refused}`);
      throw new CommandFailure(`Error writing config entry ${entry.Kind}/${entry.Name}: ${(error as Error).message}`);
    }
    if (!written) throw new CommandFailure(`Config entry not updated: ${entry.Kind}/${entry.Name}`);
    io.out(`Config entry written: ${entry.Kind}/${entry.Name}`);
    return 0;
  },
};

async function load(path: string, io: { readStdin(): Promise<Uint8Array> }): Promise<Uint8Array> {
  if (path === '-') return io.readStdin();
  try {
    return readArgumentFile(path);
  } catch (error) {
    throw new CommandFailure(`Failed to load data: ${(error as Error).message}`);
  }
}
