/** What operators, and autopilot for them, do to a simulated cluster: other members, another release, another disk. */
import type { Random } from '../../src/std/random.ts';
import { newestFormat } from './machine.ts';
import type { SimServer } from './server.ts';
import type { World } from './world.ts';

/** Without this server, could a majority of some configuration in force be lost for good? */
export function majorityNeeds(world: World, server: SimServer): boolean {
  return (
    world.servers.some(({ node }) => {
      const configuration = node?.core.state.membership.latest;
      if (configuration === undefined) return false;
      return [configuration.voters, configuration.votersOutgoing].some(
        (group) => group.length > 0 && group.includes(server.id) && group.length < 3,
      );
    }) ||
    world.swarm.servers < 3 ||
    world.swarm.faults.membership !== undefined
  );
}

/** One server loses its disk and comes back empty, under the same id, after a while. */
export function replaceDisk(world: World, server: SimServer, downMs: number): void {
  server.replaceDisk();
  world.judges.tell(server, (watch, view) => watch.diskReplaced?.(view));
  world.mark('disk: replaced');
  world.time.schedule(downMs, () => world.restart(server));
  takeInAnew(world, server);
}

/** What autopilot does: a voter that lost its log becomes a learner, and a voter again when it has caught up. */
function takeInAnew(world: World, server: SimServer): void {
  const { id, mirror } = server;
  const status = world.leader?.node?.status();
  const known = status?.configuration.logIds?.[id];
  if (known !== undefined && known === mirror.logId) return world.mark('disk: taken in anew');
  world.time.schedule(100, () => takeInAnew(world, server));
  if (status === undefined) return;
  const { configuration, peers, commitIndex } = status;
  const { logLost = false, matchIndex = 0 } = peers.find((each) => each.id === id) ?? {};
  const caughtUp = configuration.learners.includes(id) && matchIndex > 0 && matchIndex + 50 >= commitIndex;
  if (!logLost && !caughtUp) return;
  const wish = logLost ? { demote: [id] } : { promote: [id] };
  world
    .leader!.node!.changeMembership(wish)
    .catch((error: Error) => world.mark(`membership: ${'code' in error ? String(error.code) : error.message}`));
}

export function changeMembership(world: World, random: Random): void {
  const leader = world.leader;
  const configuration = leader?.node?.core.state.membership.latest;
  if (leader?.node === undefined || configuration === undefined) return;
  const { voters, learners } = configuration;
  const outside = world.servers.map(({ id }) => id).filter((id) => !(id in configuration.addresses));
  const wishes = [
    ...outside.map((id) => ({ addLearners: [{ id, address: id }] })),
    ...learners.map((id) => ({ promote: [id] })),
    ...(voters.length > 1 ? voters.map((id) => ({ remove: [id] })) : []),
    ...(voters.length > 2 ? voters.map((id) => ({ demote: [id] })) : []),
    ...(learners.length > 0 && voters.length > 1 ? [{ promote: [learners[0]!], remove: [random.pick(voters)] }] : []),
  ];
  if (wishes.length === 0) return;
  const wish = random.pick(wishes);
  world.note('--', `wish ${JSON.stringify(wish)}`);
  leader.node.changeMembership(wish).then(
    () => world.mark('membership: changed'),
    (error: Error) => world.mark(`membership: ${'code' in error ? String(error.code) : error.message}`),
  );
}

/** A new release is put in the place of the old one, and started. */
export function upgrade(world: World, server: SimServer): void {
  world.mark('version: upgraded');
  server.crash(false);
  server.machine.format = newestFormat;
  server.machine.refused = undefined;
  world.restart(server);
}
