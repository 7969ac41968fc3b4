/** SIGSTOP: a server that holds its connections and says nothing, then wakes with an old idea of the world. */
import { type Nemesis, victim } from './nemesis.ts';

export const pause: Nemesis = {
  name: 'pause',
  does: 'SIGSTOP of one server, SIGCONT later',
  async strike(context) {
    const server = await victim(context);
    if (!context.cluster.isRunning(server))
      return { what: `server ${server} was not running`, heal: () => Promise.resolve() };
    context.cluster.signal(server, 'SIGSTOP');
    return {
      what: `server ${server} paused`,
      heal() {
        if (context.cluster.isRunning(server)) context.cluster.signal(server, 'SIGCONT');
        return Promise.resolve();
      },
    };
  },
};
