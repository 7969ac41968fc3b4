/** A link that goes up and down with a period near the election timeout: the worst for failure detectors. */

import { cannotPart } from './links.ts';
import { type Nemesis, victim } from './nemesis.ts';

export const flap: Nemesis = {
  name: 'flap',
  does: 'the links of one server go up and down every few hundred milliseconds',
  missing: cannotPart,
  async strike(context) {
    const network = context.network!;
    const server = await victim(context);
    const others = Array.from({ length: context.cluster.size }, (_, i) => i).filter((each) => each !== server);
    let down = false;
    let times = 0;
    const timer = setInterval(() => {
      down = !down;
      if (!down) return network.heal();
      times++;
      for (const other of others) network.cut(server, other);
    }, 300);
    return {
      what: `links of server ${server} flap`,
      heal() {
        clearInterval(timer);
        network.heal();
        return Promise.resolve(times > 0 ? `down ${times} times` : undefined);
      },
    };
  },
};
