/** The scenes. Each is told in the paper, or the report, that it comes from; what must hold in them is what must hold anywhere. */
import type { Random } from '../../../src/std/random.ts';
import { replaceDisk } from '../operators.ts';
import type { SimServer } from '../server.ts';
import { contradictedTail } from './checkpoint-scenes.ts';
import type { Script } from './director.ts';
import { lateAnswers, learnersLease } from './lease-scenes.ts';
import { aLeader, durable, firstOf, lastIndex, leads, pauseOf, quiet, state } from './tools.ts';

/**
 * Raft §5.4.2, Figure 8. S1 has an entry of term 2 on two servers; S5 leads term 3 with an entry that nobody else has; S1 leads again
 * and brings the old entry to a majority. If it counts as committed now, S5 can still win and overwrite it.
 */
const figure8: Script = {
  adjust: (swarm) => ({ ...quiet(swarm), servers: 5 }),
  *run(stage) {
    const first = yield* aLeader(stage);
    const [friend, ...rest] = stage.voters(first) as [SimServer, ...SimServer[]];
    stage.groups([first, friend], rest);
    const before = lastIndex(first);
    const { term } = state(first)!;
    yield () => durable(friend) > before && state(friend)?.log.termAt(before + 1) === term;
    // The others elect one of them, which is alone at once, with the entry that every leader begins with.
    stage.groups([first], [friend], rest);
    stage.breakConnections(first, rest);
    yield () => rest.some(leads);
    const rival = rest.find(leads)!;
    const others = rest.filter((server) => server !== rival);
    stage.groups([first, friend, ...others], [rival]);
    // One of the two with the old entry leads, and brings it to a third.
    yield () => [first, friend].some((server) => leads(server) && state(server)!.term > state(rival)!.term);
    const second = [first, friend].find(leads)!;
    yield () =>
      others.some((server) => durable(server) > before) ||
      others.some((server) => lastIndex(server) >= firstOf(second));
    // Its own entry goes no further than its friend; the answers come back, so that it counts.
    stage.links((from, to) => (to === second && from !== rival) || (from === second && to === friend));
    yield* pauseOf(stage, 10);
    stage.groups([second], [rival, ...others]);
    stage.breakConnections(second, others);
    yield () => leads(rival) && stage.leader === rival;
    yield* pauseOf(stage, 200);
  },
};

/** Raft §6. Three voters change places with two others; the change is known on one side only; each side elects. */
const halfJoint: Script = {
  adjust: (swarm) => ({ ...quiet(swarm), servers: 3, spares: 2 }),
  *run(stage) {
    const leader = yield* aLeader(stage);
    const olds = stage.voters(leader);
    const news = stage.world.servers.filter((server) => server !== leader && !olds.includes(server));
    if (olds.length !== 2 || news.length !== 2) {
      // An earlier scene ended elsewhere: bring the voters back to three.
      yield* pauseOf(stage, 500);
      return;
    }
    const change = (wish: object): void => {
      leader.node?.changeMembership(wish).catch(() => stage.world.mark('script: change refused'));
    };
    change({ addLearners: news.map(({ id }) => ({ id, address: id })) });
    yield () => news.every((server) => durable(server) >= lastIndex(leader) && durable(server) > 0);
    yield* pauseOf(stage, 100);
    if (!leads(leader)) return;
    stage.groups([leader, ...news], olds);
    change({ promote: news.map(({ id }) => id), remove: olds.map(({ id }) => id) });
    yield () => news.every((server) => (state(server)?.membership.latest.votersOutgoing.length ?? 0) > 0);
    stage.groups([leader], olds, news);
    stage.breakConnections(leader, [...olds, ...news]);
    yield* pauseOf(stage, 800);
  },
};

/**
 * R30. A leader holds a lease that rests on one follower; that one dies and is back at once; the third, which has not heard from the
 * leader for long, asks it for its vote; clients read from the old leader meanwhile.
 */
const restartedVoter: Script = {
  adjust: (swarm) => {
    const base = quiet(swarm);
    return {
      ...base,
      servers: 3,
      keys: 1,
      readers: 4,
      thinkMs: 8,
      mix: ['write', 'leaseRead', 'leaseRead'],
      settings: { ...base.settings, leaseMs: 145, appendEntriesMax: 64 },
    };
  },
  *run(stage) {
    const leader = yield* aLeader(stage);
    const [voter, third] = stage.voters(leader) as [SimServer, SimServer];
    // Nothing new is written, so that the third's log stays as good as the voter's; heartbeats keep the lease.
    stage.world.writersRest = true;
    yield () => durable(third) === lastIndex(leader) && durable(voter) === lastIndex(leader);
    stage.links((from, to) => !([from, to].includes(leader) && [from, to].includes(third)));
    yield () => state(third)?.role === 'preCandidate';
    yield () => state(third)?.role === 'follower' || state(third)?.role === 'preCandidate';
    yield () => {
      const at = state(third);
      return at !== undefined && at.role !== 'leader' && at.electionTicks >= at.electionTimeoutTicks - 1;
    };
    voter.crash(false);
    stage.groups([leader], [voter, third]);
    stage.world.restart(voter);
    yield () => leads(third);
    stage.world.writersRest = false;
    yield* pauseOf(stage, 300);
  },
};

/** R01, Raft §5.1. What a leader of an earlier term sent before it was cut off arrives when the next has committed something there. */
const lateLeader: Script = {
  adjust: (swarm) => ({ ...quiet(swarm), servers: 3 }),
  *run(stage) {
    const old = yield* aLeader(stage);
    const [voter, heir] = stage.voters(old) as [SimServer, SimServer];
    stage.hold(old, voter);
    stage.links((from, to) => !([from, to].includes(old) && [from, to].includes(heir)));
    const before = lastIndex(old);
    yield () => lastIndex(old) > before;
    yield* pauseOf(stage, 5);
    stage.breakConnections(old, [voter, heir]);
    yield () => leads(heir) || leads(voter);
    if (!leads(heir)) return;
    yield () => lastIndex(voter) >= firstOf(heir);
    // The heir hears that its entry is on a majority; the voter does not hear that it is committed.
    stage.links((from, to) => ![from, to].includes(old) && !(from === heir && to === voter));
    yield () => (state(heir)?.commitIndex ?? 0) >= firstOf(heir);
    stage.links((from, to) => from === old && to === voter);
    stage.release();
    yield* pauseOf(stage, 20);
  },
};

/**
 * Raft §5.1, stable storage. A leader and one follower have what the third lacks; the follower's disk is replaced, and the leader is cut
 * off. The two that are left would be a majority, if the empty one still were the voter that it was.
 */
const replacedDisk: Script = {
  adjust: (swarm) => ({ ...quiet(swarm), servers: 3 }),
  *run(stage) {
    const leader = yield* aLeader(stage);
    yield () => state(leader)?.membership.latest.voters.length === 3;
    if (!leads(leader)) return;
    const [voter, third] = stage.voters(leader) as [SimServer, SimServer];
    stage.groups([leader, voter], [third]);
    const before = lastIndex(third);
    yield () => durable(voter) > before + 3 && (state(leader)?.commitIndex ?? 0) > before + 3;
    stage.groups([leader], [voter, third]);
    replaceDisk(stage.world, voter, 20);
    stage.breakConnections(leader, [third]);
    yield* pauseOf(stage, 1_500);
    stage.mend();
    yield () => {
      const latest = stage.leader === undefined ? undefined : state(stage.leader)?.membership.latest;
      return latest?.logIds?.[voter.id] === voter.mirror.logId && latest?.votersOutgoing.length === 0;
    };
  },
};

/** Drawn first, so that what older seeds play stays what it was. */
const firstScripts = { figure8, halfJoint, restartedVoter, lateLeader };
const laterScripts = { lateAnswers, learnersLease };
const replacedDiskShare = 0.03;
const contradictedTailShare = 0.03;
export const scripts = { ...firstScripts, replacedDisk, ...laterScripts, contradictedTail };
export type ScriptName = keyof typeof scripts;

/** How many runs play a scene. */
const firstShare = 0.12;
const laterShare = 0.05;

export function drawScript(root: Random): ScriptName | undefined {
  const first = root.stream('adversary');
  if (first.chance(firstShare)) return first.pick(Object.keys(firstScripts) as ScriptName[]);
  if (root.stream('replaced disk').chance(replacedDiskShare)) return 'replacedDisk';
  const later = root.stream('later scenes');
  if (later.chance(laterShare)) return later.pick(Object.keys(laterScripts) as ScriptName[]);
  return root.stream('contradicted tail').chance(contradictedTailShare) ? 'contradictedTail' : undefined;
}
