/**
 * The simulated pool in small, as a regression test: every scenario holds with ten and with forty members, one seed
 * gives one run, and the judge does see what it is there to see (a planted defect makes it fail).
 */
import { describe, expect, it } from 'vitest';
import { suspicionBounds } from '../../src/gossip/swim/suspicion.ts';
import type { Layer } from './core.ts';
import { scenarios, scenariosOf, slowMembers } from './scenarios.ts';
import { World } from './world.ts';

const scenario = (name: string) => scenarios.find((one) => one.name === name)!;

describe.each<{ members: number; layer: Layer }>([
  { members: 10, layer: 'serf' },
  { members: 40, layer: 'serf' },
  { members: 40, layer: 'swim' },
])('$members members, $layer', ({ members, layer }) => {
  it('every scenario holds, in one world, one after the other', () => {
    const world = new World({ seed: '1', members, layer });
    for (const one of scenariosOf(layer)) {
      const { ok, numbers } = one.run(world);
      expect(ok, `${one.name}: ${JSON.stringify(numbers)}`).toBe(true);
    }
  });
});

it('one seed gives one run, another seed another', () => {
  const digest = (seed: string): number => {
    const world = new World({ seed, members: 20, layer: 'serf' });
    scenario('crash').run(world);
    scenario('partition').run(world);
    return world.digest;
  };
  expect(digest('a')).toBe(digest('a'));
  expect(digest('a')).not.toBe(digest('b'));
});

it('in a calm pool of any small size every query is answered by everybody, and every event arrives', () => {
  for (const members of [3, 4, 5, 6, 7]) {
    for (const profile of ['local', 'lan'] as const) {
      const world = new World({ seed: '11', members, layer: 'serf', profile, network: { loss: 0 } });
      const { numbers } = scenario('tell').run(world);
      expect({ members, profile, ...numbers }).toMatchObject({ eventsMissed: 0, answersMissed: 0 });
    }
  }
});

it('a crash is known to everybody within the time that SWIM and Lifeguard promise', () => {
  for (const seed of ['1', '2', '3', '4', '5']) {
    const world = new World({ seed, members: 50, layer: 'swim' });
    scenario('crash').run(world);
    const { minMs } = suspicionBounds(world.config, 50);
    const [detection] = world.judge.detections();
    expect(detection!.firstMs).toBeGreaterThan(minMs);
    // Probed within a few periods by one of 49; the shortest suspicion, since confirmations come quickly; then gossip.
    expect(detection!.allMs).toBeLessThan(minMs + 8_000);
  }
});

it('Lifeguard removes most false positives that slow members cause', () => {
  const falsePositives = (config: object): number => {
    const world = new World({ seed: '7', members: 60, layer: 'swim', config: { suspicionMult: 5, ...config } });
    return Number(slowMembers(6, 8_192, 256, 60_000).run(world).numbers.falsePositives);
  };
  const plain = falsePositives({ awarenessMaxMultiplier: 1, suspicionMaxTimeoutMult: 1, lateTimerMs: 3_600_000 });
  expect(plain).toBeGreaterThan(10);
  expect(falsePositives({})).toBeLessThan(plain / 10);
});

it('the net catches fish: without grace for late timers, a member that stood still declares others dead', () => {
  const verdicts = (lateTimerMs: number): number => {
    const world = new World({ seed: '3', members: 12, layer: 'swim', config: { lateTimerMs } });
    const sleeper = world.members[0]!;
    // It accuses somebody who was deaf, and then stands still itself while the refutation arrives.
    world.members[1]!.stop('deaf');
    world.runUntil(() => sleeper.counters.get('suspicions') > 0, 60_000);
    sleeper.stop('stopped');
    world.members[1]!.resume();
    world.run(60_000);
    sleeper.resume();
    return sleeper.counters.get('deaths');
  };
  expect(verdicts(3_600_000)).toBe(1);
  expect(verdicts(100)).toBe(0);
});
