/**
 * Swarm: each seed first draws *which* faults exist at all and how strong they are, then how large the cluster is, how it is tuned and
 * what clients do. Runs with few kinds of faults reach states that runs with all of them never do.
 */
import type { RaftSettings } from '../../src/raft/index.ts';
import type { Random } from '../../src/std/random.ts';
import type { NetworkWeather } from '../../src/testing/sim/network.ts';
import { drawRarerFaults, type RarerFaultKind } from './rarer-kinds.ts';
import { drawScript, type ScriptName, scripts } from './scripts/index.ts';

/** What a run leans towards: all faults alike, or the few that together reach one kind of rare state. */
export type Profile = 'mixed' | 'elections' | 'leases' | 'membership' | 'script';

export interface Swarm {
  readonly profile: Profile;
  /** The scene that is played, if one is. */
  readonly script?: ScriptName;
  /** How often a client turns to another server than the one it believes in. */
  readonly wander: number;
  /** What clients do, each as often as it stands here. */
  readonly mix: readonly ('write' | 'cas' | 'read' | 'leaseRead')[];
  /** How many of the clients only read: a writer is stuck on a leader that was cut off, a reader goes on. */
  readonly readers: number;
  /** Longest pause of a client between two operations. */
  readonly thinkMs: number;
  readonly servers: number;
  readonly spares: number;
  readonly clients: number;
  readonly keys: number;
  readonly payloadBytes: number;
  /** Length of the phase with faults. */
  readonly unsafeMs: number;
  readonly network: NetworkWeather & {
    /** Does a dying server's kernel close its connections (a hint for the others)? */
    readonly breaksAreSeen: boolean;
  };
  readonly disk: { readonly latencyMsMean: number; readonly slowServer: boolean };
  /** Clock rates are drawn from 1 +- this. The lease margin must cover it. */
  readonly clockDrift: number;
  /** Which kinds of scheduled faults occur, and the mean time between two. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly settings: Partial<RaftSettings>;
}

export const faultKinds = [
  'crash',
  'powerLoss',
  'crashAll',
  'pause',
  'partition',
  'isolateLeader',
  'cutLeader',
  'transferAndCut',
  'oneWay',
  'flap',
  'breakConnections',
  'diskError',
  'diskStall',
  'bitFlip',
  'failedCheckpoint',
  'checkpoint',
  'transfer',
  'membership',
  'swizzle',
] as const;
export type FaultKind = (typeof faultKinds)[number] | RarerFaultKind;

/** Mean milliseconds between two faults of a kind, where it occurs. */
const meanMs: Record<(typeof faultKinds)[number], readonly [number, number]> = {
  crash: [1_000, 8_000],
  powerLoss: [2_000, 10_000],
  crashAll: [8_000, 20_000],
  pause: [1_000, 8_000],
  partition: [1_500, 8_000],
  isolateLeader: [1_500, 8_000],
  cutLeader: [1_000, 5_000],
  transferAndCut: [1_000, 5_000],
  oneWay: [1_500, 8_000],
  flap: [3_000, 10_000],
  breakConnections: [500, 4_000],
  diskError: [4_000, 15_000],
  diskStall: [2_000, 8_000],
  bitFlip: [8_000, 20_000],
  failedCheckpoint: [1_000, 5_000],
  checkpoint: [500, 3_000],
  transfer: [1_000, 5_000],
  membership: [600, 4_000],
  swizzle: [3_000, 10_000],
};

export function drawSwarm(root: Random, unsafeMs: number): Swarm {
  const swarm = drawMixed(root, unsafeMs);
  const script = drawScript(root);
  if (script !== undefined) return { ...patient(scripts[script].adjust(swarm), 1), profile: 'script', script };
  const random = root.stream('profile');
  const profile = random.pick<Exclude<Profile, 'script'>>(['mixed', 'mixed', 'elections', 'leases', 'membership']);
  return patient(leanings[profile](swarm, random), root.stream('patience').pick([1, 1, 3]));
}

/** Leaders that step down as soon as a follower would elect, or later. */
function patient(swarm: Swarm, timeouts: number): Swarm {
  const quorumSilenceTicks = timeouts * swarm.settings.electionTimeoutTicks!;
  return { ...swarm, settings: { ...swarm.settings, quorumSilenceTicks } };
}

const calmNetwork = (swarm: Swarm): Swarm['network'] => ({
  ...swarm.network,
  delayMsMin: 0.1,
  delayMsMean: 1,
  lossRate: 0,
});

const leanings: { readonly [P in Exclude<Profile, 'script'>]: (swarm: Swarm, random: Random) => Swarm } = {
  mixed: (swarm) => swarm,
  /** Leaders fall one after another, each with entries that few others have, and messages of the dead arrive late. */
  elections: (swarm, random) => ({
    ...swarm,
    profile: 'elections',
    servers: random.pick([3, 5, 5]),
    spares: 0,
    clients: 8,
    wander: random.pick([0.2, 0.6]),
    thinkMs: 25,
    mix: ['write', 'write', 'write', 'cas', 'read'],
    network: { ...swarm.network, delayMsMean: random.pick([1, 5, 20]), lateRate: random.pick([0, 0.01, 0.05]) },
    disk: { ...swarm.disk, latencyMsMean: random.pick([0.3, 2, 10]) },
    faults: {
      ...{ isolateLeader: 500, cutLeader: random.pick([200, 500]), partition: 700, crash: 1_000, oneWay: 1_500 },
      // Logs part here more than anywhere: entries are replaced.
      ...(random.stream('stale pages').chance(0.3) ? { stalePage: 2_500 } : {}),
    },
    settings: {
      ...swarm.settings,
      appendEntriesMax: random.pick([1, 1, 2]),
      electionTimeoutTicks: 15,
      heartbeatTicks: 3,
    },
  }),
  /** A leader is cut off while its peers know at once, and clients read on both sides. */
  leases: (swarm, random) => ({
    ...swarm,
    profile: 'leases',
    servers: 3,
    spares: 0,
    clients: 8,
    readers: 4,
    keys: 1,
    wander: 0.4,
    thinkMs: 10,
    mix: ['write', 'leaseRead', 'leaseRead', 'leaseRead', 'read'],
    network: calmNetwork(swarm),
    disk: { latencyMsMean: 0.3, slowServer: false },
    faults: {
      ...{ cutLeader: 900, transferAndCut: random.pick([1_500, 6_000]), crash: random.pick([700, 6_000]) },
      ...(random.stream('suspend').chance(0.3) ? { suspend: 700 } : {}),
    },
    settings: { ...swarm.settings, electionTimeoutTicks: 30, heartbeatTicks: 3, leaseMs: random.pick([80, 160, 300]) },
  }),
  /** Members change while leaders fall. */
  membership: (swarm, random) => ({
    ...swarm,
    profile: 'membership',
    servers: random.pick([2, 3, 4]),
    spares: 3,
    wander: 0.4,
    network: calmNetwork(swarm),
    faults: { membership: 120, isolateLeader: 600, partition: 600, cutLeader: 700, oneWay: 1_500 },
    settings: {
      ...swarm.settings,
      electionTimeoutTicks: 15,
      heartbeatTicks: 3,
      appendEntriesMax: random.pick([1, 64]),
    },
  }),
};

/** Some runs let clocks differ by as much as leases allow: 1.11 / 0.89 is just below the ratio of 1.25 that their margin covers. */
const atTheEdge = (root: Random, drift: number): number =>
  root.stream('clocks at the edge').chance(0.1) ? 0.11 : drift;

function drawMixed(root: Random, unsafeMs: number): Swarm {
  const random = root.stream('swarm');
  const maybe = <T>(probability: number, value: () => T, otherwise: T): T =>
    random.chance(probability) ? value() : otherwise;
  const between = (min: number, max: number): number => min + random.next() * (max - min);
  const faults: Partial<Record<FaultKind, number>> = {};
  const density = random.pick([0.2, 0.4, 0.7]);
  for (const kind of faultKinds) {
    const [min, max] = meanMs[kind];
    const mean = between(min, max);
    if (random.chance(density)) faults[kind] = mean;
  }
  const servers = random.pick([1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 7]);
  return {
    profile: 'mixed',
    wander: random.pick([0.1, 0.1, 0.4]),
    mix: ['write', 'write', 'cas', 'read', 'read', 'leaseRead'],
    readers: 0,
    thinkMs: 60,
    servers,
    spares: faults.membership === undefined ? 0 : random.int(1, 2),
    clients: random.int(2, 8),
    keys: random.int(1, 6),
    payloadBytes: random.pick([0, 0, 100, 2_000]),
    unsafeMs,
    network: {
      lossRate: maybe(0.5, () => between(0, 0.2), 0),
      duplicateRate: maybe(0.5, () => between(0, 0.3), 0),
      delayMsMin: between(0, 3),
      delayMsMean: maybe(0.3, () => between(5, 40), between(0.2, 5)),
      lateRate: maybe(0.4, () => between(0, 0.02), 0),
      breaksAreSeen: random.chance(0.7),
    },
    disk: { latencyMsMean: maybe(0.3, () => between(5, 60), between(0.2, 4)), slowServer: random.chance(0.2) },
    clockDrift: atTheEdge(
      root,
      maybe(0.6, () => between(0, 0.09), 0),
    ),
    faults: { ...faults, ...drawRarerFaults(root) },
    settings: {
      checkpointEntries: random.pick([8, 30, 100, 1_000]),
      trailingEntries: random.pick([0, 1, 5, 50]),
      appendEntriesMax: random.pick([1, 3, 64]),
      appendBytesMax: random.pick([200, 4_000, 1_000_000]),
      inflightMessagesMax: random.pick([1, 2, 8, 64]),
      inflightBytesMax: random.pick([500, 100_000, 8_000_000]),
      tailBytesMax: random.pick([0, 1_000, 1_000_000]),
      uncommittedBytesMax: random.pick([2_000, 1_000_000]),
      applyEntriesMax: random.pick([1, 10, 1_000]),
      electionTimeoutTicks: random.pick([15, 30, 30, 60]),
      heartbeatTicks: random.pick([2, 4, 7]),
      inflightEntriesMax: random.pick([1, 5, 4_096]),
      partialAppendsMax: root.stream('gather').pick([1, 2, 2, 64]),
      // Clients pause for longer than the least of these now and then.
      idleAfterTicks: root.stream('idle').pick([2, 20, 100]),
    },
  };
}
