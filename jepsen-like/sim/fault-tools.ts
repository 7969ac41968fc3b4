/** What the acts of faults are made of: links that are cut for a time, servers that come back later. */
import type { Random } from '../../src/std/random.ts';
import type { SimServer } from './server.ts';
import type { World } from './world.ts';

export type Act = (world: World, random: Random, durationMs: number) => void;

/** Ends a fault after its time. The effect is undone even when the unsafe phase has ended meanwhile. */
export const afterwards = (world: World, durationMs: number, undo: () => void): void => {
  world.time.schedule(durationMs, undo);
};

export function cutAll(world: World, pairs: readonly (readonly [string, string])[], durationMs: number): void {
  for (const [from, to] of pairs) world.network.cut(from, to);
  const links = describeLinks(pairs);
  world.note('--', `cut ${links}`);
  const epoch = world.healings;
  afterwards(world, durationMs, () => {
    if (epoch !== world.healings) return;
    for (const [from, to] of pairs) world.network.mend(from, to);
    world.note('--', `mend ${links}`);
  });
}

/** `s1>s2,s3 s2>s1`: who is not heard by whom. */
function describeLinks(pairs: readonly (readonly [string, string])[]): string {
  const senders = new Map<string, string[]>();
  for (const [from, to] of pairs) senders.set(from, [...(senders.get(from) ?? []), to]);
  return [...senders].map(([from, to]) => `${from}>${to.join()}`).join(' ');
}

export const between = (group: readonly SimServer[], rest: readonly SimServer[]): [string, string][] =>
  group.flatMap((a) =>
    rest.flatMap((b): [string, string][] => [
      [a.id, b.id],
      [b.id, a.id],
    ]),
  );

export const leader = (world: World): SimServer | undefined =>
  world.servers.find(({ node }) => node?.core.state.leadership !== undefined);

/** Nothing passes to or from this server, and its peers see their connections break; it sees nothing. */
export function cutOff(world: World, server: SimServer | undefined, durationMs: number): void {
  if (server === undefined || world.safePhase) return;
  const others = world.servers.filter((other) => other !== server);
  cutAll(world, between([server], others), durationMs);
  for (const other of others) other.arrive((handlers) => handlers.peerBroken(server.id));
}

export function restartLater(world: World, server: SimServer, durationMs: number): void {
  afterwards(world, durationMs, () => world.restart(server));
}
