import { type Command, CommandFailure } from '../command.ts';

export const monitor: Command = {
  usage: '[options]',
  description: `Shows the log of a running agent as it is written, from the given level up. Ends with Ctrl-C.

    $ heddle monitor -log-level=debug`,
  groups: ['client'],
  flags: [
    { name: 'log-json', type: 'bool', help: 'Output logs in JSON format.' },
    { name: 'log-level', type: 'string', default: 'INFO', help: 'Log level of the agent.' },
  ],
  async run({ flags, client, io, signal }) {
    const query = { loglevel: flags.string('log-level'), logjson: flags.bool('log-json') ? '' : undefined };
    try {
      const response = await client.open('GET', '/v1/agent/monitor', { query, signal });
      if (response.statusCode !== 200) {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        throw new Error(
          `Unexpected response code: ${response.statusCode} (${Buffer.concat(chunks).toString().trim()})`,
        );
      }
      for await (const chunk of response) io.write(chunk as Buffer);
    } catch (error) {
      if (signal.aborted) return 0;
      throw new CommandFailure(`Error starting monitor: ${(error as Error).message}`);
    }
    if (signal.aborted) return 0;
    throw new CommandFailure(
      '\nRemote side ended the monitor! This usually means that the\nremote side has exited or crashed.',
    );
  },
};
