/** Whether a changed membership is whole again. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessCluster } from '../real/cluster.ts';

const settledMs = 45_000;

/** Waits until every server is a voter of the configuration: to take the next one out before would be to lose the quorum. */
export async function allVote(cluster: ProcessCluster): Promise<boolean> {
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
