/** Scenes in which an old leader must stop believing in its lease, while clients go on asking it. */
import type { SimServer } from '../server.ts';
import type { Swarm } from '../swarm.ts';
import type { Script } from './director.ts';
import { aLeader, durable, lastIndex, leads, pauseOf, quiet } from './tools.ts';

/** Many readers, of both kinds, of one register; a lease of the default length, well below the time after which a leader steps down. */
const reading = (swarm: Swarm): Swarm => {
  const base = quiet(swarm);
  return {
    ...base,
    servers: 3,
    keys: 1,
    readers: 6,
    thinkMs: 6,
    mix: ['write', 'leaseRead', 'read'],
    clients: 12,
    settings: { ...base.settings, leaseMs: 60, electionTimeoutTicks: 20, appendEntriesMax: 64 },
  };
};

/**
 * Dissertation §6.4.1, fault R33. The answers of both voters lie in the old leader's socket; it is cut off; the voters elect another, which
 * acknowledges a write; then the old leader reads the answers. They were given long ago, and prove nothing about now.
 */
export const lateAnswers: Script = {
  adjust: reading,
  *run(stage) {
    const old = yield* aLeader(stage);
    const voters = stage.voters(old) as [SimServer, SimServer];
    yield () => voters.every((voter) => durable(voter) === lastIndex(old));
    for (const voter of voters) stage.hold(voter, old);
    // Whoever waits for the old leader now would not be there to be told something old by it.
    const { world } = stage;
    world.writersRest = true;
    world.readersRest = true;
    yield* pauseOf(stage, 35);
    stage.groups([old], voters);
    stage.breakConnections(old, voters);
    yield () => voters.some(leads);
    world.writersRest = false;
    const before = world.acknowledgedIndex;
    yield () => world.acknowledgedIndex > before;
    if (!leads(old)) return;
    stage.release();
    world.readersRest = false;
    yield* pauseOf(stage, 40);
  },
};

/** Raft §4.2.1 of the dissertation, faults R11 and C20. Only a learner is left with the old leader: it counts for nothing. */
export const learnersLease: Script = {
  adjust: (swarm) => ({ ...reading(swarm), spares: 1 }),
  *run(stage) {
    const old = yield* aLeader(stage);
    const voters = stage.voters(old);
    const learner = stage.world.servers.find((server) => server !== old && !voters.includes(server));
    if (learner === undefined) return;
    old.node?.changeMembership({ addLearners: [{ id: learner.id, address: learner.id }] }).catch(() => {
      // It is one already, from an earlier scene.
      stage.world.mark('script: change refused');
    });
    yield () => durable(learner) > 0 && durable(learner) === lastIndex(old);
    if (!leads(old)) return;
    stage.groups([old, learner], voters);
    stage.breakConnections(old, voters);
    const before = stage.world.acknowledgedIndex;
    yield () => voters.some(leads) && stage.world.acknowledgedIndex > before;
    yield* pauseOf(stage, 60);
  },
};
