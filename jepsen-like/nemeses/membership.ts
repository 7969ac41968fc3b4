/**
 * Leadership is handed over, and a server is taken out of the Raft configuration and comes back, under load: as a new one, or with the
 * data of the member that it was, as one that was away when it was removed.
 */
import type { ProcessCluster } from '../real/cluster.ts';
import { done, missed, type Nemesis } from './nemesis.ts';
import { allVote } from './voters.ts';

export const membership: Nemesis = {
  name: 'membership',
  does: 'leadership is transferred; a follower is removed from the configuration and joins again, without its data or with it',
  async strike({ cluster, chance }) {
    const leader = await cluster.leader();
    if (leader === undefined) return missed('no leader to ask');
    if (chance() < 0.5 || cluster.size < 3) {
      const answer = await asked(cluster, leader, 'POST', '/v1/operator/raft/transfer-leader');
      const said = `leadership of server ${leader} handed over: ${answer}`;
      return done(said, answer === '200' ? 'answered with 200' : undefined);
    }
    const follower = (leader + 1 + Math.floor(chance() * (cluster.size - 1))) % cluster.size;
    const address = `${cluster.advertised(follower)}:8300`;
    const answer = await asked(cluster, leader, 'DELETE', `/v1/operator/raft/peer?address=${address}`);
    const keepsData = chance() < 0.5;
    return {
      what: `server ${follower} removed from the configuration: ${answer}`,
      async heal() {
        await cluster.kill(follower);
        if (!keepsData) cluster.wipe(follower);
        cluster.launch(follower);
        const votes = await allVote(cluster);
        if (!votes) cluster.complain(`server ${follower} was removed, came back, and did not become a voter again`);
        const how = keepsData ? 'with its old data' : 'as a new member';
        return answer === '200' && votes ? `answered with 200; it came back ${how}, and votes` : undefined;
      },
    };
  },
};

/** Status of the answer, and what it said if that is not 200. */
async function asked(cluster: ProcessCluster, server: number, method: string, path: string): Promise<string> {
  try {
    const { status, body } = await cluster.ask(server, method, path, undefined, answerMs);
    return status === 200 ? '200' : `${status} ${body.slice(0, 100)}`;
  } catch (error) {
    return String(error);
  }
}

const answerMs = 10_000;
