/** One server's packets to the others are dropped while theirs still arrive, or the reverse. */
import { type Nemesis, victim } from './nemesis.ts';

export const oneWay: Nemesis = {
  name: 'one-way',
  does: 'one server hears but is not heard, or is heard but hears nothing',
  missing: ({ network }) => (network === undefined ? 'network namespaces need root' : undefined),
  async strike(context) {
    const network = context.network!;
    const server = await victim(context);
    const mute = context.chance() < 0.5;
    for (let other = 0; other < context.cluster.size; other++) {
      if (other === server) continue;
      if (mute) network.dropTo(server, other);
      else network.dropTo(other, server);
    }
    return {
      what: mute ? `server ${server} is not heard` : `server ${server} hears nothing`,
      heal() {
        network.heal();
        return Promise.resolve();
      },
    };
  },
};
