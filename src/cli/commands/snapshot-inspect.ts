import { type Command, CommandFailure } from '../command.ts';
import { inspectArchive, type SnapshotMeta } from '../snapshot-archive.ts';

export const snapshotInspect: Command = {
  usage: '[options] FILE',
  description: `Verifies a snapshot file and shows what it is: no server is asked.

    $ heddle snapshot inspect backup.snap`,
  groups: [],
  flags: [{ name: 'format', type: 'string', default: 'pretty', help: 'Output format: pretty or json.' }],
  async run({ args, flags, io }) {
    if (args.length === 0) throw new CommandFailure('Missing FILE argument');
    if (args.length > 1) throw new CommandFailure(`Too many arguments (expected 1, got ${args.length})`);
    const format = flags.string('format');
    if (format !== 'pretty' && format !== 'json')
      throw new CommandFailure(`Error outputting enhanced snapshot data: Unknown format: ${format}`);
    let meta: SnapshotMeta;
    try {
      ({ meta } = await inspectArchive(args[0]!));
    } catch (error) {
      const text = (error as Error).message;
      throw new CommandFailure(text.startsWith('Error opening') ? text : `Error reading snapshot: ${text}`);
    }
    const { ID, Size, Index, Term, Version } = meta;
    if (format === 'json') io.out(JSON.stringify({ Meta: { ID, Size, Index, Term, Version } }, null, 3));
    else
      for (const [label, value] of Object.entries({ ID, Size, Index, Term, Version }))
        io.out(` ${label.padEnd(13)}${value}`);
    return 0;
  },
};
