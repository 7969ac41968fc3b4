/**
 * Fault catalogue D14: the data directory of a follower is put back from an old copy, while the others are healthy and have everything. What
 * is shown is what stands in docs/servers.md: nothing acknowledged is lost by that alone and writes go on; but the leader that knew the
 * follower with more never catches it up, for it takes what was acknowledged for true.
 */
import { expect, it } from 'vitest';
import { Mirror } from './mirror.ts';
import { quiet } from './scripts/tools.ts';
import type { SimServer } from './server.ts';
import type { Swarm } from './swarm.ts';
import { World } from './world.ts';

function threeInPeace(swarm: Swarm): Swarm {
  const { script: _none, ...base } = quiet(swarm);
  return { ...base, profile: 'mixed', servers: 3 };
}

/** What the directory of a server holds now, and a function that puts it back there. */
function copyOf(server: SimServer): () => void {
  const { disk, machine } = server;
  const records = new Map(disk.records);
  const state = machine.state.save();
  const { hash, appliedIndex } = machine;
  return () => {
    disk.replace();
    for (const [key, value] of records) disk.records.set(key, value);
    machine.state.load(state);
    Object.assign(machine, { hash, appliedIndex });
    // The checkers know of it: what its disk had was promised by another disk.
    const lost = server.mirror;
    server.lostMirrors.push(lost);
    server.mirror = new Mirror();
    server.mirror.durable([...records].map(([key, value]) => ({ kind: 'put', key, value })));
    Object.assign(server.mirror, { onEntry: lost.onEntry, onHardState: lost.onHardState });
  };
}

it('a follower with an old copy of its directory does no harm while the others have everything, and is not caught up', async () => {
  const world = new World({ seed: '1', unsafeMs: 6_000, faults: [], adjust: threeInPeace });
  let follower: SimServer | undefined;
  let putBack: () => void = () => undefined;
  let before = 0;
  world.time.schedule(2_000, () => {
    follower = world.servers.find((server) => server !== world.leader)!;
    putBack = copyOf(follower);
    before = follower.mirror.lastIndex;
  });
  world.time.schedule(4_000, () => {
    follower!.crash(false);
    putBack();
    world.judges.tell(follower!, (watch, view) => watch.diskReplaced?.(view));
    follower!.start(undefined);
  });
  const { violation, operations, end } = await world.run();
  // Every promise held but one: the servers are not equal in the end.
  expect(violation?.message).toMatch(/^liveness: not converged/);
  expect(
    operations.filter(({ op, outcome, startMs }) => op === 'write' && outcome === 'ok' && startMs > 4_100).length,
  ).toBeGreaterThan(50);
  const behind = end.find(({ server }) => server === follower!.id)!;
  expect(behind).toMatchObject({ role: 'follower', applied: String(before) });
});
