/** `kill -9` of a server, and its start on the data it left. */
import { missed, type Nemesis, victim } from './nemesis.ts';

export const kill: Nemesis = {
  name: 'kill',
  does: 'kill -9 of one server, or of all at once',
  async strike(context) {
    const { cluster, chance } = context;
    const all = chance() < 0.15;
    const chosen = all ? Array.from({ length: cluster.size }, (_, i) => i) : [await victim(context)];
    const servers = chosen.filter((server) => cluster.isRunning(server));
    if (servers.length === 0) return missed(`server ${chosen[0]} was not running`);
    await Promise.all(servers.map((server) => cluster.kill(server)));
    return {
      what: all ? 'all servers killed' : `server ${servers[0]} killed`,
      heal() {
        for (const server of servers) cluster.launch(server);
        return Promise.resolve('gone at once');
      },
    };
  },
};
