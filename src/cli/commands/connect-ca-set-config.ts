import { readFileSync } from 'node:fs';
import { type Command, CommandFailure } from '../command.ts';
import { fileErrorText } from '../http-client.ts';

export const connectCaSetConfig: Command = {
  usage: '[options]',
  description: `Changes the configuration of the certificate authority. A change of its key or root certificate rotates the root:
the new one is cross-signed by the old one, and no connection is dropped.

    $ heddle connect ca set-config -config-file ca.json`,
  groups: ['client', 'server'],
  flags: [
    { name: 'config-file', type: 'string', placeholder: 'value', help: 'The path to the config file to use.' },
    {
      name: 'force-without-cross-signing',
      type: 'bool',
      help: 'Indicates that the CA reconfiguration should go ahead even if the current CA is unable to cross sign certificates. This risks temporary connection failures during the rollout as new leafs will be rejected by proxies that have not yet observed the new root cert, but is the only option if a CA that does not support cross signing needs to be reconfigured or mirgated away from.',
    },
  ],
  async run({ flags, client, io }) {
    const path = flags.string('config-file');
    if (path === '') throw new CommandFailure('The -config-file flag is required');
    let config: Record<string, unknown>;
    try {
      config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    } catch (error) {
      throw new CommandFailure(
        `Error reading config file: ${error instanceof SyntaxError ? `${path}: ${error.message}` : fileErrorText(path, error)}`,
      );
    }
    if (flags.bool('force-without-cross-signing')) config.ForceWithoutCrossSigning = true;
    try {
      await client.expect('PUT', '/v1/connect/ca/configuration', { body: JSON.stringify(config) });
    } catch (error) {
      throw new CommandFailure(`Error setting CA configuration: ${(error as Error).message}`);
    }
    io.out('Configuration updated!');
    return 0;
  },
};
