/**
 * Every server in turn is taken out of the configuration and replaced by a new one with an empty disk, as machines are
 * replaced: in the end no server of the beginning is left, and no acknowledged write is missing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessCluster } from '../real/cluster.ts';
import { done, type Nemesis } from './nemesis.ts';
import { allVote } from './voters.ts';

export const rollingMembership: Nemesis = {
  name: 'rolling-membership',
  does: 'every server in turn is removed, loses its disk and comes back as a new member',
  missing: ({ cluster }) => (cluster.size < 3 ? 'needs three servers' : undefined),
  async strike({ cluster }) {
    const refusals: string[] = [];
    let replaced = 0;
    for (let server = 0; server < cluster.size && (await allVote(cluster)); server++) {
      const refusal = await removed(cluster, server);
      if (refusal !== undefined) {
        refusals.push(`server ${server} was not: ${refusal}`);
        continue;
      }
      await cluster.kill(server);
      cluster.wipe(server);
      cluster.launch(server);
      replaced++;
    }
    if (!(await allVote(cluster))) cluster.complain('the servers that were replaced did not become voters again');
    const what = [`${replaced} servers replaced in turn`, ...refusals].join('; ');
    return done(what, replaced === cluster.size ? 'all vote again' : undefined);
  },
};

/** Takes a server out of the configuration. One that leads hands over first, which may take a second try; else why not. */
async function removed(cluster: ProcessCluster, server: number): Promise<string | undefined> {
  const path = `/v1/operator/raft/peer?address=${cluster.advertised(server)}:8300`;
  let said = '';
  for (let tries = 0; tries < 3; tries++) {
    const other = (server + 1 + tries) % cluster.size;
    const answer = await cluster
      .ask(other, 'DELETE', path, undefined, 10_000)
      .catch((error: unknown) => ({ status: 0, body: String(error) }));
    // Gone since the try before, whose answer was lost.
    if (answer.status === 200 || (tries > 0 && /was not found in the Raft configuration/.test(answer.body)))
      return undefined;
    said = `${answer.status} ${answer.body.slice(0, 100)}`;
    await delay(500);
  }
  return said;
}
