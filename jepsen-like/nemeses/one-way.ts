/** One server's packets to the others are dropped while theirs still arrive, or the reverse. */

import { cannotPart, healed } from './links.ts';
import { type Nemesis, victim } from './nemesis.ts';

export const oneWay: Nemesis = {
  name: 'one-way',
  does: 'one server hears but is not heard, or is heard but hears nothing',
  missing: cannotPart,
  async strike(context) {
    const network = context.network!;
    const server = await victim(context);
    const other = server === 0 ? 1 : 0;
    const mute = context.chance() < 0.5;
    for (let each = 0; each < context.cluster.size; each++) {
      if (each === server) continue;
      if (mute) network.dropTo(server, each);
      else network.dropTo(each, server);
    }
    return {
      what: mute ? `server ${server} is not heard` : `server ${server} hears nothing`,
      heal: () => (mute ? healed(context, server, other) : healed(context, other, server)),
    };
  },
};
