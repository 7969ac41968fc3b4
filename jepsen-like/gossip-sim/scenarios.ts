/**
 * What happens to the pool, one scenario after the other in one world. Each reports numbers and says whether what must
 * hold held: after the faults are over, everybody sees everybody that is up, and nobody else.
 */
import type { Layer } from './core.ts';
import type { SimMember } from './sim-member.ts';
import type { World } from './world.ts';

export interface Outcome {
  readonly scenario: string;
  readonly ok: boolean;
  /** What the numbers mean is in their names; times in ms of virtual time. */
  readonly numbers: Readonly<Record<string, number | string>>;
}

export interface Scenario {
  readonly name: string;
  readonly story: string;
  /** The layer that it needs; absent: either. */
  readonly layer?: Layer;
  run(world: World): Omit<Outcome, 'scenario'>;
}

const share = (world: World, fraction: number, max: number): number =>
  Math.max(1, Math.min(max, Math.floor(world.up().length * fraction)));

function someOf(world: World, stream: string, count: number): SimMember[] {
  return world.random.stream(stream).shuffle(world.up()).slice(0, count);
}

function percentile(values: readonly number[], fraction: number): number | string {
  if (values.length === 0) return '-';
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))]!);
}

/** Until nobody holds a living member for dead. */
const healed = (world: World, limitMs: number): number | undefined =>
  world.runUntil(() => world.judge.wrongNow() === 0, limitMs);

const steady: Scenario = {
  name: 'steady',
  story: 'nothing happens for a minute, 1% of packets are lost',
  run(world) {
    world.run(10_000);
    world.judge.takeFalsePositives();
    const before = { packets: world.network.packetsSent, bytes: world.network.bytesSent };
    world.run(60_000);
    const memberSeconds = world.up().length * 60;
    const { episodes } = world.judge.takeFalsePositives();
    return {
      ok: episodes === 0,
      numbers: {
        falsePositives: episodes,
        packetsPerMemberSecond: ((world.network.packetsSent - before.packets) / memberSeconds).toFixed(2),
        bytesPerMemberSecond: ((world.network.bytesSent - before.bytes) / memberSeconds).toFixed(0),
      },
    };
  },
};

const loss: Scenario = {
  name: 'loss',
  story: '15% of packets are lost for a minute',
  run(world) {
    const calm = world.network.options;
    world.network.options = { ...calm, loss: 0.15 };
    world.run(60_000);
    world.network.options = calm;
    const { episodes, observations } = world.judge.takeFalsePositives();
    const healMs = healed(world, 120_000);
    return { ok: healMs !== undefined, numbers: { falsePositives: episodes, observations, healMs: healMs ?? 'never' } };
  },
};

const crash: Scenario = {
  name: 'crash',
  story: 'one in a hundred members crashes, all at once',
  run(world) {
    const victims = someOf(world, 'crash', share(world, 0.01, 10));
    for (const victim of victims) world.crash(victim);
    const done = (): boolean => world.judge.detections().every(({ allMs }) => allMs !== undefined);
    const tookMs = world.runUntil(done, 300_000);
    const detections = world.judge.detections();
    const first = detections.flatMap(({ firstMs }) => (firstMs === undefined ? [] : [firstMs]));
    const all = detections.flatMap(({ allMs }) => (allMs === undefined ? [] : [allMs]));
    const spread = detections.flatMap(({ firstMs, allMs }) => (allMs === undefined ? [] : [allMs - firstMs!]));
    const { episodes } = world.judge.takeFalsePositives();
    return {
      ok: tookMs !== undefined && episodes === 0,
      numbers: {
        crashed: victims.length,
        firstDetectionMedianMs: percentile(first, 0.5),
        firstDetectionMaxMs: percentile(first, 1),
        allKnowMedianMs: percentile(all, 0.5),
        allKnowMaxMs: percentile(all, 1),
        fromFirstToAllMedianMs: percentile(spread, 0.5),
        falsePositives: episodes,
      },
    };
  },
};

const join: Scenario = {
  name: 'join',
  story: 'three members join, one after the other, each through one random member',
  run(world) {
    for (let i = 0; i < 3; i++) {
      world.arrive();
      world.run(5_000);
    }
    const done = (): boolean => world.judge.arrivalTimes().every(({ allMs }) => allMs !== undefined);
    world.runUntil(done, 120_000);
    const all = world.judge.arrivalTimes().flatMap(({ allMs }) => (allMs === undefined ? [] : [allMs]));
    return {
      ok: done(),
      numbers: { joined: 3, allKnowMedianMs: percentile(all, 0.5), allKnowMaxMs: percentile(all, 1) },
    };
  },
};

const pause: Scenario = {
  name: 'pause',
  story: 'one in twenty members stands still for 3 s (SIGSTOP, a virtual machine that moves) and goes on',
  run(world) {
    const victims = someOf(world, 'pause', share(world, 0.05, 50));
    for (const victim of victims) impair(world, victim, 'stopped');
    world.run(3_000);
    for (const victim of victims) release(world, victim);
    world.run(60_000);
    const { episodes, betweenHealthy } = world.judge.takeFalsePositives();
    const healMs = healed(world, 120_000);
    return {
      ok: healMs !== undefined && episodes === 0,
      numbers: { paused: victims.length, falsePositives: episodes, betweenHealthy, healMs: healMs ?? 'never' },
    };
  },
};

/**
 * Lifeguard's experiment: some members take turns between not handling messages and handling them, for two minutes.
 * Every verdict about them or by them is a false positive: all of them are up.
 */
export function slowMembers(members: number, blockedMs: number, workingMs: number, forMs: number): Scenario {
  return {
    name: 'slow',
    story: `${members} members handle no messages for ${blockedMs} ms, then do for ${workingMs} ms, again and again`,
    run(world) {
      const victims = someOf(world, 'slow', Math.min(members, world.up().length - 2));
      const endMs = world.nowMs + forMs;
      const offset = world.random.stream('slow-offset');
      for (const victim of victims) {
        const cycle = (): void => {
          if (world.nowMs >= endMs) return release(world, victim);
          impair(world, victim, 'deaf');
          world.after(blockedMs, () => {
            victim.resume();
            world.after(workingMs, cycle);
          });
        };
        world.after(offset.next() * (blockedMs + workingMs), cycle);
      }
      world.run(forMs + blockedMs + workingMs);
      for (const victim of victims) release(world, victim);
      const { episodes, observations, betweenHealthy } = world.judge.takeFalsePositives();
      const healMs = healed(world, 300_000);
      return {
        ok: healMs !== undefined,
        numbers: {
          slow: victims.length,
          falsePositives: episodes,
          observations,
          betweenHealthy,
          healMs: healMs ?? 'never',
        },
      };
    },
  };
}

const partition: Scenario = {
  name: 'partition',
  story:
    'a quarter of the members (at most 100, of 5,000 at most 20) is cut off for 45 s, then the network is whole again',
  run(world) {
    // Everybody suspects everybody whom those cut off could not reach: beliefs to change grow with both numbers.
    const most = Math.min(100, Math.floor(100_000 / world.up().length));
    const victims = someOf(world, 'partition', share(world, 0.25, most));
    for (const victim of victims) world.judge.impaired.add(victim.name);
    world.network.partition(victims.map((victim) => victim.index));
    world.run(45_000);
    const heldDead = world.judge.wrongNow();
    world.network.heal();
    const healMs = healed(world, 600_000);
    for (const victim of victims) world.judge.impaired.delete(victim.name);
    const { betweenHealthy } = world.judge.takeFalsePositives();
    // Between members of the larger side there are some: accusations from the other side that were still under way
    // count for a moment, until they are refuted.
    return {
      ok: healMs !== undefined,
      numbers: { cutOff: victims.length, heldDead, betweenHealthy, healMs: healMs ?? 'never' },
    };
  },
};

/** Lost packets aside: what chance leaves out when each member tells a few others. */
const missedShareMax = 0.005;

const tell: Scenario = {
  name: 'tell',
  story: 'random members send 20 user events and ask 20 queries, to everybody; 1% of packets are lost',
  layer: 'serf',
  run(world) {
    const tellers = world.random.stream('tell');
    for (let i = 0; i < 20; i++) {
      world.tell(tellers.pick(world.up()), `told-${i}`);
      world.run(5_000);
    }
    const tellings = world.judge.takeTellings();
    const wanted = tellings.length * world.up().length;
    const missed = (what: 'events' | 'answers'): number => wanted - tellings.reduce((sum, one) => sum + one[what], 0);
    const took = tellings.map(({ tookMs }) => tookMs);
    return {
      // An answer is one packet, and the question may not arrive either.
      ok: missed('events') <= wanted * missedShareMax && missed('answers') <= wanted * (missedShareMax + 0.015),
      numbers: {
        told: tellings.length,
        eventsMissed: missed('events'),
        answersMissed: missed('answers'),
        ofDeliveries: wanted,
        eventKnownToAllMedianMs: percentile(took, 0.5),
        eventKnownToAllMaxMs: percentile(took, 1),
      },
    };
  },
};

function impair(world: World, member: SimMember, how: 'stopped' | 'deaf'): void {
  world.judge.impaired.add(member.name);
  member.stop(how);
}

function release(world: World, member: SimMember): void {
  member.resume();
  world.judge.impaired.delete(member.name);
}

export const scenarios: readonly Scenario[] = [
  steady,
  loss,
  crash,
  join,
  pause,
  slowMembers(8, 4_096, 256, 60_000),
  partition,
  tell,
];

/** What a layer can do. */
export const scenariosOf = (layer: Layer): readonly Scenario[] =>
  scenarios.filter((scenario) => scenario.layer === undefined || scenario.layer === layer);
