/** SIGSTOP: a server that holds its connections and says nothing, then wakes with an old idea of the world. */
import { isStopped } from '../real/commands.ts';
import { missed, type Nemesis, victim } from './nemesis.ts';

export const pause: Nemesis = {
  name: 'pause',
  does: 'SIGSTOP of one server, SIGCONT later',
  async strike(context) {
    const server = await victim(context);
    if (!context.cluster.isRunning(server)) return missed(`server ${server} was not running`);
    context.cluster.signal(server, 'SIGSTOP');
    return {
      what: `server ${server} paused`,
      heal() {
        const { cluster } = context;
        const stood = cluster.isRunning(server) && isStopped(cluster.pid(server));
        if (cluster.isRunning(server)) cluster.signal(server, 'SIGCONT');
        return Promise.resolve(stood ? 'it stood still' : undefined);
      },
    };
  },
};
