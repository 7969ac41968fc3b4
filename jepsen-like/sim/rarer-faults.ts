/** What the rarer faults do: to clocks, to disks, to versions, and to links such that no two servers see the same majority. */
import type { StoreKey } from '../../src/raft/log/store.ts';
import type { Random } from '../../src/std/random.ts';
import { type Act, afterwards, between, cutAll, leader } from './fault-tools.ts';
import { newestFormat } from './machine.ts';
import { majorityNeeds, replaceDisk, upgrade } from './operators.ts';
import type { RarerFaultKind } from './rarer-kinds.ts';
import type { SimServer } from './server.ts';
import type { World } from './world.ts';

const hourMs = 3_600_000;
/** How long after a failed write a supervisor starts the server again. */
const supervisorMs = 500;

/** One copy at most is given up in a run: a good one of everything must remain on a majority. */
const diskWasLost = (world: World): boolean =>
  world.servers.some(({ damage, lostMirrors }) => damage !== undefined || lostMirrors.length > 0);

/**
 * The disk of one server is damaged while it is down, and it is started once, to see that it refuses. One at most is given up in a
 * run, so that a good copy of everything remains.
 */
export function damageDisk(
  world: World,
  random: Random,
  how: string,
  damage: (server: SimServer) => StoreKey | undefined,
  candidates: readonly SimServer[] = world.servers,
): void {
  if (candidates.length === 0) return;
  const server = random.pick(candidates);
  if (diskWasLost(world) || majorityNeeds(world, server)) return;
  server.crash(false);
  const key = damage(server);
  if (key === undefined) return world.restart(server);
  server.damage = `${how} at ${String(key)}`;
  world.mark(`damage: ${how}`);
  // Once, to see that it refuses: `World.started` is not to hear of it.
  server.start(undefined, true);
}

export const rarerActs: { readonly [K in RarerFaultKind]: Act } = {
  /** The machine stands, its monotonic clock too; its network may need a moment longer to come back. */
  suspend: (world, random, durationMs) => {
    const server = random.chance(0.7) ? (leader(world) ?? random.pick(world.servers)) : random.pick(world.servers);
    const offlineMs = random.pick([0, 0, 30, 200]);
    const others = world.servers.filter((other) => other !== server);
    if (offlineMs > 0) cutAll(world, between([server], others), durationMs + offlineMs);
    server.suspend();
    afterwards(world, durationMs, () => server.resume());
  },
  setClock: (world, random) => {
    const byMs = random.pick([5, 200, 5_000, hourMs, 24 * hourMs]) * (random.chance(0.5) ? 1 : -1) * random.next();
    const server = random.pick(world.servers);
    world.note(server.id, `its wall clock is set by ${byMs.toFixed(0)} ms`);
    server.clock.setWall(byMs);
  },
  /** Every write fails until there is room again; a supervisor starts the server again and again. */
  fullDisk: (world, random, durationMs) => {
    const server = random.pick(world.servers);
    world.note(server.id, `its disk is full for ${durationMs.toFixed(0)} ms`);
    server.disk.fullUntilMs = world.time.nowMs + durationMs;
    server.machine.fullUntilMs = server.disk.fullUntilMs;
    for (let at = supervisorMs; at < durationMs + 2 * supervisorMs; at += supervisorMs) {
      afterwards(world, at, () => {
        if (server.condition === 'broken') world.restart(server);
      });
    }
  },
  misdirectedWrite: (world, random) =>
    damageDisk(world, random, 'misdirected write', ({ disk, mirror }) => disk.misdirect(mirror.prefixIndex)),
  stalePage: (world, random) =>
    damageDisk(
      world,
      random,
      'stale page',
      ({ disk, mirror }) => disk.goStale(mirror.prefixIndex),
      world.servers.filter(({ disk, mirror }) => disk.replacedEntries(mirror.prefixIndex).length > 0),
    ),
  /** D12. What the state has not applied could be missing without a trace: no reader of this disk alone can find that. */
  shortenedLog: (world, random) =>
    damageDisk(world, random, 'shortened log', ({ disk, machine, mirror }) =>
      disk.shorten(mirror.prefixIndex, machine.appliedIndex),
    ),
  /** One server is upgraded and, once it leads, writes what the others do not know; they are upgraded after a while. */
  newerServer: (world, random, durationMs) => {
    const server = random.pick(world.servers.filter((other) => other !== leader(world) || world.servers.length === 1));
    upgrade(world, server);
    const leads = (): void => {
      if (leader(world) === server) return;
      leader(world)
        ?.node?.transferLeadership(server.id)
        .catch(() => world.mark('transfer: refused or failed'));
    };
    for (const atMs of [50, 300, 800]) afterwards(world, atMs, leads);
    afterwards(world, durationMs + supervisorMs, () => {
      for (const other of world.servers) if (other.machine.format < newestFormat) upgrade(world, other);
    });
  },
  /** An operator replaces a disk. The server comes back empty, and knows nothing of its votes and its log. */
  replaceDisk: (world, random, durationMs) => {
    const server = random.chance(0.3) ? (leader(world) ?? random.pick(world.servers)) : random.pick(world.servers);
    if (diskWasLost(world) || majorityNeeds(world, server)) return;
    replaceDisk(world, server, durationMs);
  },
  corruptChunk: (world) => {
    world.network.corruptNext = true;
  },
  /**
   * All paths to one server, or from it, carry only so much (N10): appends and checkpoints fill them, and heartbeats wait behind. Often
   * leadership is to change meanwhile, to whoever that server is.
   */
  clog: (world, random, durationMs) => {
    const server = random.pick(world.servers);
    const to = random.chance(0.5);
    const clog = { bytesPerMs: random.pick([0.5, 2, 10, 50]), queueBytesMax: random.pick([500, 4_000, 64_000]) };
    const others = world.servers.filter((other) => other !== server);
    const paths = others.map((other) => (to ? [other.id, server.id] : [server.id, other.id]) as [string, string]);
    for (const [a, b] of paths) world.network.clog(a, b, clog);
    world.note('--', `clog ${paths.map((path) => path.join('>')).join(' ')} to ${clog.bytesPerMs} bytes/ms`);
    const epoch = world.healings;
    afterwards(world, durationMs, () => {
      if (epoch === world.healings) for (const [a, b] of paths) world.network.unclog(a, b);
    });
    if (!random.chance(0.5)) return;
    leader(world)
      ?.node?.transferLeadership(server.id)
      .then(
        () => world.mark('clog: leadership handed on'),
        () => world.mark('transfer: refused or failed'),
      );
  },
  /** Two halves that only one server joins. */
  bridge: (world, random, durationMs) => {
    const [joint, ...rest] = random.shuffle(world.servers);
    if (joint === undefined || rest.length < 2) return;
    const middle = Math.ceil(rest.length / 2);
    cutAll(world, between(rest.slice(0, middle), rest.slice(middle)), durationMs);
  },
  /** Each server sees a majority, and no two the same one: in a ring, those near it. */
  ring: (world, random, durationMs) => {
    const servers = random.shuffle(world.servers);
    const count = servers.length;
    if (count < 4) return;
    const reach = Math.ceil(Math.floor(count / 2) / 2);
    const far = servers.flatMap((a, i) =>
      servers.slice(i + 1).flatMap((b, k) => {
        const distance = Math.min(k + 1, count - k - 1);
        return distance > reach ? between([a], [b]) : [];
      }),
    );
    cutAll(world, far, durationMs);
  },
};
