/** Every server is restarted in turn, gracefully, as an upgrade does it: writes go on. */
import { setTimeout as delay } from 'node:timers/promises';
import { done, type Nemesis } from './nemesis.ts';

/** Generous: five servers that were all killed a moment ago, on two busy cores, took 25 s to listen again. */
const writeMs = 60_000;

export const rollingRestart: Nemesis = {
  name: 'rolling-restart',
  does: 'every server is stopped with SIGTERM and started again, one after the other',
  async strike({ cluster }) {
    for (let server = 0; server < cluster.size; server++) {
      await cluster.terminate(server);
      cluster.launch(server);
      await cluster.waitForWrite(writeMs);
      await delay(500);
    }
    return done('all servers restarted in turn', `a write was acknowledged after each of ${cluster.size}`);
  },
};
