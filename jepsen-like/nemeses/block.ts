/**
 * The event loop of one server stands still for up to five seconds, again and again, as in a long synchronous call: it keeps its
 * connections and answers nothing, then wakes with full buffers and timers that are all due. It must not take the others for dead.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessCluster } from '../real/cluster.ts';
import { setBlock } from '../real/loop-blocking.ts';
import { missed, type Nemesis, victim } from './nemesis.ts';

const leastMs = 50;
const mostMs = 5_000;
const aliveStatus = 1;

export const block: Nemesis = {
  name: 'block',
  does: 'the event loop of one server stands still for 50 ms to 5 s, several times; nobody else is taken for dead',
  lastsMs: { least: 4_000, most: 9_000 },
  async strike(context) {
    const { cluster, chance } = context;
    const server = await victim(context);
    if (!cluster.isRunning(server)) return missed(`server ${server} was not running`);
    const bystander = (server + 1) % cluster.size;
    const before = await aliveMembers(cluster, bystander);
    let over = false;
    const blocking = blockAgain(cluster, server, chance, () => over);
    return {
      what: `the event loop of server ${server} stands still, several times`,
      async heal() {
        over = true;
        const longestMs = await blocking;
        const after = await aliveMembers(cluster, bystander);
        const lost = before.filter((name) => name !== `s${server}` && !after.includes(name));
        if (lost.length > 0) cluster.complain(`${lost.join(', ')} held for dead while server ${server} was blocked`);
        return longestMs > 0 ? `it answered nothing for ${Math.round(longestMs)} ms` : undefined;
      },
    };
  },
};

/** Returns how long, at most, a question waited that came in a block; 0 if none was shown to wait. */
async function blockAgain(
  cluster: ProcessCluster,
  server: number,
  chance: () => number,
  over: () => boolean,
): Promise<number> {
  let longestMs = 0;
  while (!over() && cluster.isRunning(server)) {
    // Short ones are as likely as long ones.
    const ms = Math.round(leastMs * (mostMs / leastMs) ** chance());
    setBlock(cluster.folder, server, ms);
    cluster.signal(server, 'SIGUSR2');
    const started = performance.now();
    await cluster.ask(server, 'GET', '/v1/status/leader', undefined, 2 * mostMs).catch(() => undefined);
    const waitedMs = performance.now() - started;
    if (waitedMs >= ms / 2) longestMs = Math.max(longestMs, waitedMs);
    await delay(100 + chance() * 400);
  }
  return longestMs;
}

/** Names of the members that this server holds for alive. */
async function aliveMembers(cluster: ProcessCluster, server: number): Promise<string[]> {
  const answer = await cluster.ask(server, 'GET', '/v1/agent/members').catch(() => undefined);
  if (answer?.status !== 200) return [];
  const members = JSON.parse(answer.body) as { readonly Name: string; readonly Status: number }[];
  return members.filter(({ Status }) => Status === aliveStatus).map(({ Name }) => Name);
}
