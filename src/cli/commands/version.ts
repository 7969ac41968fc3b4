import { version as number } from '../../version.ts';
import { type Command, CommandFailure } from '../command.ts';

export const version: Command = {
  usage: '[options]',
  description: 'Prints the version of this binary and the gossip protocol versions that it understands.',
  groups: [],
  flags: [{ name: 'format', type: 'string', default: 'pretty', help: 'Output format: pretty or json.' }],
  async run({ flags, io }) {
    const format = flags.string('format');
    if (format === 'json') {
      const facts = { Version: number, Revision: '', Prerelease: '', RPC: { Default: 2, Min: 2, Max: 3 } };
      io.out(JSON.stringify(facts, null, 3));
    } else if (format === 'pretty') {
      io.out(
        `Heddle v${number}\nProtocol 2 spoken by default, understands 2 to 3 (agent will automatically use protocol >2 when speaking to compatible agents)\n`,
      );
    } else throw new CommandFailure(`Unknown format: ${format}`);
    return 0;
  },
};
