/** One server is told to read its configuration again, several times a second (SIGHUP), while everybody asks: nothing is dropped. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { missed, type Nemesis, victim } from './nemesis.ts';

const eachMs = 150;

export const reload: Nemesis = {
  name: 'reload',
  does: 'SIGHUP of one server, several times a second: it reads its configuration again, and goes on',
  async strike(context) {
    const { cluster } = context;
    const server = await victim(context);
    // One that has only begun to load does not know the signal yet, and would end.
    const isUp = await cluster.ask(server, 'GET', '/v1/status/leader').catch(() => undefined);
    if (!cluster.isRunning(server) || isUp === undefined) return missed(`server ${server} was not running`);
    const logged = readFileSync(cluster.logFile(server), 'utf8').length;
    let over = false;
    const telling = (async () => {
      while (!over && cluster.isRunning(server)) {
        cluster.signal(server, 'SIGHUP');
        await delay(eachMs);
      }
    })();
    return {
      what: `server ${server} reads its configuration again and again`,
      async heal() {
        over = true;
        await telling;
        const said = readFileSync(cluster.logFile(server), 'utf8').slice(logged);
        const times = said.split('Caught: signal=hangup').length - 1;
        if (said.includes('Reloading configuration failed'))
          cluster.complain(`server ${server} could not read its configuration again`);
        return times > 0 ? `it did ${times} times` : undefined;
      },
    };
  },
};
