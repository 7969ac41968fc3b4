/** Every server is restarted in turn, gracefully, as an upgrade does it: writes go on. */
import { setTimeout as delay } from 'node:timers/promises';
import { done, type Nemesis } from './nemesis.ts';

export const rollingRestart: Nemesis = {
  name: 'rolling-restart',
  does: 'every server is stopped with SIGTERM and started again, one after the other',
  async strike({ cluster }) {
    for (let server = 0; server < cluster.size; server++) {
      await cluster.terminate(server);
      cluster.launch(server);
      await cluster.waitForWrite(20_000);
      await delay(500);
    }
    return done('all servers restarted in turn', `a write was acknowledged after each of ${cluster.size}`);
  },
};
