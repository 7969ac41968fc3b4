/**
 * The faults that happen at certain times. The schedule is drawn before the run, as data, so that a failing run can be repeated with
 * some of them left out until only those that matter remain.
 */
import type { Random } from '../../src/std/random.ts';
import { type Act, afterwards, between, cutAll, cutOff, leader, restartLater } from './fault-tools.ts';
import { changeMembership } from './operators.ts';
import { damageDisk, rarerActs } from './rarer-faults.ts';
import { rarerFaultKinds } from './rarer-kinds.ts';
import { type FaultKind, faultKinds, type Swarm } from './swarm.ts';
import type { World } from './world.ts';

export interface ScheduledFault {
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly durationMs: number;
  /** Decides whom it hits and how, apart from every other fault. */
  readonly salt: number;
}

export function drawFaults(root: Random, swarm: Swarm): ScheduledFault[] {
  const faults: ScheduledFault[] = [];
  for (const kind of [...faultKinds, ...rarerFaultKinds]) {
    const meanMs = swarm.faults[kind];
    if (meanMs === undefined) continue;
    const random = root.stream(`faults/${kind}`);
    let atMs = 500;
    for (;;) {
      atMs += -meanMs * Math.log(1 - random.next());
      if (atMs >= swarm.unsafeMs) break;
      const durationMs = random.pick([20, 200, 600, 2_000]) * (0.5 + random.next());
      faults.push({ atMs, kind, durationMs, salt: random.int(0, 2 ** 30) });
    }
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

const acts: { readonly [K in FaultKind]: Act } = {
  crash: (world, random, durationMs) => {
    const server = random.pick(world.servers);
    server.crash(false);
    restartLater(world, server, durationMs);
  },
  powerLoss: (world, random, durationMs) => {
    const server = random.pick(world.servers);
    server.crash(true);
    restartLater(world, server, durationMs);
  },
  crashAll: (world, random) => {
    for (const server of world.servers) {
      server.crash(random.chance(0.5));
      restartLater(world, server, random.next() * 500);
    }
  },
  pause: (world, random, durationMs) => {
    const server = random.chance(0.5) ? (leader(world) ?? random.pick(world.servers)) : random.pick(world.servers);
    server.pause();
    afterwards(world, durationMs, () => server.resume());
  },
  partition: (world, random, durationMs) => {
    const shuffled = random.shuffle(world.servers);
    const size = random.int(1, Math.max(1, shuffled.length - 1));
    cutAll(world, between(shuffled.slice(0, size), shuffled.slice(size)), durationMs);
  },
  isolateLeader: (world, random, durationMs) => {
    const isolated = leader(world) ?? random.pick(world.servers);
    cutAll(
      world,
      between(
        [isolated],
        world.servers.filter((server) => server !== isolated),
      ),
      durationMs,
    );
  },
  cutLeader: (world, _random, durationMs) => cutOff(world, leader(world), durationMs),
  transferAndCut: (world, random, durationMs) => {
    const server = leader(world);
    server?.node?.transferLeadership().catch(() => world.mark('transfer: refused or failed'));
    world.time.schedule(random.next() * 10, () => cutOff(world, server, durationMs));
  },
  oneWay: (world, random, durationMs) => {
    const victim = random.pick(world.servers);
    const others = world.servers.filter((server) => server !== victim);
    const out = random.chance(0.5);
    cutAll(
      world,
      others.map(({ id }) => (out ? [victim.id, id] : [id, victim.id])),
      durationMs,
    );
  },
  flap: (world, random, durationMs) => {
    const [a, b] = random.shuffle(world.servers);
    if (a === undefined || b === undefined) return;
    const period = 50 + random.next() * 400;
    for (let at = 0; at < durationMs; at += period) {
      world.time.schedule(at, () => {
        if (!world.safePhase) cutAll(world, between([a], [b]), period / 2);
      });
    }
  },
  breakConnections: (world, random) => {
    const [a, b] = random.shuffle(world.servers);
    a?.arrive((handlers) => handlers.peerBroken(b?.id ?? ''));
    b?.arrive((handlers) => handlers.peerBroken(a?.id ?? ''));
  },
  diskError: (world, random, durationMs) => {
    const server = random.pick(world.servers);
    world.note(server.id, 'its next write fails');
    server.disk.failNext = true;
    restartLater(world, server, durationMs + 500);
  },
  diskStall: (world, random, durationMs) => {
    const server = random.pick(world.servers);
    world.note(server.id, `its disk stalls for ${durationMs.toFixed(0)} ms`);
    server.disk.stalledUntilMs = world.time.nowMs + durationMs;
  },
  bitFlip: (world, random) =>
    damageDisk(world, random, 'bit flip', ({ disk, mirror }) => disk.flipBit(mirror.prefixIndex)),
  failedCheckpoint: (world, random) => {
    random.pick(world.servers).machine.failNextCheckpoint = true;
  },
  checkpoint: (world, random) => {
    const { node } = random.pick(world.servers);
    node?.checkpoint().catch(() => world.mark('checkpoint: failed'));
  },
  transfer: (world, random) => {
    const to = random.chance(0.5) ? random.pick(world.servers).id : undefined;
    leader(world)
      ?.node?.transferLeadership(to)
      .then(
        () => world.mark('transfer: done'),
        () => world.mark('transfer: refused or failed'),
      );
  },
  membership: (world, random) => changeMembership(world, random),
  ...rarerActs,
  swizzle: (world, random, durationMs) => {
    for (const server of random.shuffle(world.servers).slice(0, Math.ceil(world.servers.length / 2))) {
      const others = world.servers.filter((other) => other !== server);
      world.time.schedule(random.next() * 1_000, () => {
        if (!world.safePhase) cutAll(world, between([server], others), durationMs * (0.5 + random.next()));
      });
    }
  },
};

export function carryOut(world: World, fault: ScheduledFault): void {
  const random = world.random.stream(`fault/${fault.kind}/${fault.salt}`);
  acts[fault.kind](world, random, fault.durationMs);
}
