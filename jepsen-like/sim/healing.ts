/**
 * The second phase of a run: faults end, every server that can run runs, every link passes. Then there must be a leader, answers
 * for clients, and equal state everywhere.
 */
import { hold } from '../invariants/invariant.ts';
import { newestFormat } from './machine.ts';
import { upgrade } from './operators.ts';
import type { World } from './world.ts';

/** How long the healed cluster may take to be well again. */
const healMsMax = 20_000;

/** Everything that can be well is made well; then the cluster has to be. Throws a violation. */
export async function heal(world: World): Promise<void> {
  world.safePhase = true;
  world.writersRest = false;
  world.readersRest = false;
  world.healings++;
  world.note('--', 'heal');
  world.network.heal();
  const upgraded = world.servers.some(({ machine }) => machine.format === newestFormat);
  for (const server of world.servers) {
    server.resume();
    server.disk.failNext = false;
    server.disk.stalledUntilMs = 0;
    server.disk.latencyMs = Math.min(server.disk.latencyMs, 10);
    server.machine.failNextCheckpoint = false;
    server.disk.fullUntilMs = 0;
    server.machine.fullUntilMs = 0;
    if (upgraded && server.machine.format < newestFormat) upgrade(world, server);
    else world.restart(server);
  }
  const deadline = world.time.nowMs + healMsMax;
  const before = world.operations.length;
  const answered = (): boolean =>
    world.operations
      .slice(before)
      .some(({ outcome, op, startMs }) => outcome === 'ok' && op === 'write' && startMs > deadline - healMsMax);
  await world.runUntil(deadline, () => answered() && world.leader !== undefined);
  hold(world.leader !== undefined, 'liveness', () => `no leader ${healMsMax} ms after healing`);
  hold(answered(), 'liveness', () => `no write was acknowledged within ${healMsMax} ms after healing`);
  for (const client of world.clients) client.stop();
  // One entry a round trip may take longer than that to catch up: then it must at least go on (seed 1795521443953).
  for (let before = -1, now = 0; !converged(world) && now > before; now = applied(world)) {
    before = now;
    await world.runUntil(world.time.nowMs + healMsMax, () => converged(world));
  }
  hold(converged(world), 'liveness', () => `not converged ${healMsMax} ms after the last client: ${describe(world)}`);
}

/** Entries applied, over all servers. */
function applied(world: World): number {
  return world.servers.reduce((sum, { node }) => sum + (node?.core.state.appliedIndex ?? 0), 0);
}

/** Members of the leader's configuration that can run have applied the same, and nothing is left in flight. */
function converged(world: World): boolean {
  const leader = world.leader;
  if (leader?.node === undefined) return false;
  const { state } = leader.node.core;
  const { latest } = state.membership;
  if (latest.votersOutgoing.length > 0 || state.commitIndex !== state.log.lastIndex) return false;
  if (state.leadership?.backlog.bytes !== 0 || state.leadership.reads.size > 0) return false;
  const members = world.servers.filter(({ id, damage }) => id in latest.addresses && damage === undefined);
  return members.every(
    ({ node, machine }) => node?.core.state.appliedIndex === state.appliedIndex && machine.hash === leader.machine.hash,
  );
}

function describe(world: World): string {
  return world.servers
    .map(({ id, condition, node, damage }) => {
      const state = node?.core.state;
      const at =
        state === undefined
          ? ''
          : ` ${state.role} t${state.term} c${state.commitIndex} a${state.appliedIndex} l${state.log.lastIndex}`;
      return `${id} ${damage === undefined ? condition : 'damaged'}${at}`;
    })
    .join(', ');
}
