/** Scenes about a checkpoint that takes the place of a log. */
import type { SimServer } from '../server.ts';
import type { Swarm } from '../swarm.ts';
import type { Script } from './director.ts';
import { aLeader, durable, lastIndex, leads, pauseOf, quiet, state } from './tools.ts';

/** Checkpoints only where the scene asks for one, and nothing of the log is kept before it. Many clients, so that a tail grows quickly. */
const withoutTrail = (swarm: Swarm): Swarm => {
  const base = quiet(swarm);
  return { ...base, servers: 3, clients: 14, settings: { ...base.settings, trailingEntries: 0 } };
};

/**
 * Fault R16, Raft §7. A leader that is cut off has entries that nobody else has, beyond the checkpoint that the next leader sends it: they
 * contradict it, and must be gone with the installation, whose parts reach the disk in such an order that a death between any two leaves a log.
 *
 *     cut off      ... b | x  x  x  x  x        term 2, on no other disk
 *     the others   ... b | y (checkpoint)       term 3: y is all that was written, and the log before it is gone
 */
export const contradictedTail: Script = {
  adjust: withoutTrail,
  *run(stage) {
    const { world } = stage;
    const old = yield* aLeader(stage);
    const rest = stage.voters(old) as [SimServer, SimServer];
    yield () => rest.every((server) => durable(server) === lastIndex(old));
    const before = lastIndex(old);
    stage.groups([old], rest);
    yield () => durable(old) >= before + 6;
    stage.breakConnections(old, rest);
    yield () => rest.some((server) => leads(server) && server.machine.appliedIndex > before);
    const heir = rest.find(leads)!;
    // No more, or it grows beyond the tail.
    world.writersRest = true;
    heir.node?.checkpoint().catch(() => world.mark('script: no checkpoint'));
    yield () => (state(heir)?.log.prefix.index ?? 0) > before;
    if (!leads(heir) || (state(heir)?.log.prefix.index ?? 0) >= durable(old)) return;
    stage.mend();
    world.writersRest = true;
    yield () => state(old)?.installing !== undefined || (state(old)?.log.prefix.index ?? 0) > before;
    // Some die in the middle of it, some when it is over.
    yield* pauseOf(stage, world.random.stream(`tail/${world.time.nowMs}`).next() * 1.5);
    world.mark(old.machine.appliedIndex > before ? 'tail: contradicted and gone' : 'tail: died before');
    old.crash(false);
    world.restart(old);
    yield () => old.condition === 'up' && (state(old)?.log.prefix.index ?? 0) > before;
    stage.mend();
    yield* pauseOf(stage, 200);
  },
};
