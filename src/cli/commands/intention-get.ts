import type { Command } from '../command.ts';
import { labelled, rfc850 } from '../output.ts';
import { findIntention } from './intention-api.ts';

export const intentionGet: Command = {
  usage: '[options] SRC DST\nUsage: heddle intention get [options] ID',
  description: `Reads one intention, by its source and destination or by its ID.

    $ heddle intention get web db`,
  groups: ['client', 'server', 'tenancy'],
  flags: [],
  async run({ args, client, io }) {
    const found = await findIntention(client, args);
    const pairs: [string, string][] = [
      ['Source:', found.SourceName],
      ['Destination:', found.DestinationName],
    ];
    if (found.Action) pairs.push(['Action:', found.Action]);
    if (found.ID) pairs.push(['ID:', found.ID]);
    if (found.Description) pairs.push(['Description:', found.Description]);
    for (const [key, value] of Object.entries(found.Meta ?? {}).sort()) pairs.push([`Meta[${key}]:`, value]);
    pairs.push(['Created At:', rfc850(found.CreatedAt ?? '0001-01-01T00:00:00Z')]);
    const widest = Math.max(...pairs.map(([label]) => label.length));
    io.out(labelled(pairs, widest + 2));
    if (found.Permissions && found.Permissions.length > 0)
      io.out(`Permissions:\n${JSON.stringify(found.Permissions, null, 2)}`);
    return 0;
  },
};
