/** Leadership is handed over, and a server is taken out of the Raft configuration and comes back, under load. */
import { setTimeout as delay } from 'node:timers/promises';
import { done, missed, type Nemesis } from './nemesis.ts';

export const membership: Nemesis = {
  name: 'membership',
  does: 'leadership is transferred; a follower is removed from the configuration and joins again',
  async strike({ cluster, chance }) {
    const leader = await cluster.leader();
    if (leader === undefined) return missed('no leader to ask');
    if (chance() < 0.5 || cluster.size < 3) {
      const answer = await cluster
        .ask(leader, 'POST', '/v1/operator/raft/transfer-leader')
        .catch((error: unknown) => ({ status: 0, body: String(error) }));
      return done(
        `leadership of server ${leader} transferred`,
        answer.status === 200 ? 'answered with 200' : undefined,
      );
    }
    const follower = (leader + 1 + Math.floor(chance() * (cluster.size - 1))) % cluster.size;
    const address = `${cluster.advertised(follower)}:8300`;
    const answer = await cluster
      .ask(leader, 'DELETE', `/v1/operator/raft/peer?address=${address}`)
      .catch((error: unknown) => ({ status: 0, body: String(error) }));
    return {
      what: `server ${follower} removed from the configuration`,
      async heal() {
        // It joins again as a fresh learner: its old data belongs to a member that was removed.
        await cluster.kill(follower);
        cluster.wipe(follower);
        cluster.launch(follower);
        await delay(1_000);
        return answer.status === 200 ? 'answered with 200; it came back as a new member' : undefined;
      },
    };
  },
};
