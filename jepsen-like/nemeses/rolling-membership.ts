/**
 * Every server in turn is taken out of the configuration and replaced by a new one with an empty disk, as machines are
 * replaced: in the end no server of the beginning is left, and no acknowledged write is missing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessCluster } from '../real/cluster.ts';
import { done, type Nemesis } from './nemesis.ts';

const settledMs = 45_000;

export const rollingMembership: Nemesis = {
  name: 'rolling-membership',
  does: 'every server in turn is removed, loses its disk and comes back as a new member',
  missing: ({ cluster }) => (cluster.size < 3 ? 'needs three servers' : undefined),
  async strike({ cluster }) {
    let replaced = 0;
    for (let server = 0; server < cluster.size; server++) {
      if (!(await settled(cluster))) break;
      const other = (server + 1) % cluster.size;
      const address = `${cluster.advertised(server)}:8300`;
      const answer = await cluster
        .ask(other, 'DELETE', `/v1/operator/raft/peer?address=${address}`, undefined, 10_000)
        .catch((error: unknown) => ({ status: 0, body: String(error) }));
      if (answer.status !== 200) continue;
      await cluster.kill(server);
      cluster.wipe(server);
      cluster.launch(server);
      replaced++;
    }
    if (!(await settled(cluster))) cluster.complain('the servers that were replaced did not become voters again');
    return done(`${replaced} servers replaced in turn`, replaced === cluster.size ? 'all vote again' : undefined);
  },
};

/** Waits until every server votes: to replace the next one before would be to lose the quorum. */
async function settled(cluster: ProcessCluster): Promise<boolean> {
  const end = performance.now() + settledMs;
  while (performance.now() < end) {
    const leader = await cluster.leader();
    const answer =
      leader === undefined
        ? undefined
        : await cluster.ask(leader, 'GET', '/v1/operator/raft/configuration').catch(() => undefined);
    if (answer?.status === 200) {
      const { Servers } = JSON.parse(answer.body) as { Servers: readonly { Voter: boolean }[] };
      if (Servers.filter(({ Voter }) => Voter).length === cluster.size) return true;
    }
    await delay(250);
  }
  return false;
}
