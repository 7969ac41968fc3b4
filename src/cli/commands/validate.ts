import { ConfigError, loadConfig } from '../../agent/config/index.ts';
import { type Command, CommandFailure } from '../command.ts';

export const validate: Command = {
  usage: '[options] FILE_OR_DIRECTORY...',
  description: `Performs a basic sanity test on agent configuration files. For each file or directory given, it attempts to parse the contents just as the "heddle agent" command would, and catches any errors.

Returns 0 if the configuration is valid, or 1 if there are problems.`,
  groups: [],
  flags: [
    {
      name: 'config-format',
      type: 'string',
      help: 'Config files are in this format irrespective of their extension. Must be hcl or json.',
    },
    { name: 'quiet', type: 'bool', help: 'When given, a successful run will produce no output.' },
  ],
  async run({ flags, args, io }) {
    if (args.length === 0) throw new CommandFailure('Must specify at least one config file or directory');
    const format = flags.string('config-format');
    if (!['', 'hcl', 'json'].includes(format)) {
      // The closing quote is missing in the text that tools know.
      throw new CommandFailure("-config-format must be either 'hcl' or 'json");
    }
    try {
      const config = loadConfig({ files: args, format });
      for (const warning of config.warnings) io.error(warning);
      if (!flags.bool('quiet')) io.out('Configuration is valid!');
      return 0;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new CommandFailure(`Config validation failed: ${error.message}`);
    }
  },
};
