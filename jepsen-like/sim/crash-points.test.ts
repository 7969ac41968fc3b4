/** A death at points of persistence: a taste of them all, and proof that a log that dies badly is found by one of them. */
import { expect, it } from 'vitest';
import { mutations } from '../mutations/index.ts';
import { type CrashPoint, waysToDie } from './crash-points.ts';
import { everyCrashPoint, runOf } from './every-crash-point.ts';
import { World } from './world.ts';

it('every part of a commit may have been written, with the power gone or not', () => {
  const ways = waysToDie({ server: 's1', number: 7, what: 'commit', operations: 2 });
  expect(ways.map(({ kept, powerLoss }) => `${kept} ${powerLoss}`)).toEqual([
    '0 false',
    '0 true',
    '1 false',
    '1 true',
    '2 false',
    '2 true',
  ]);
});

it('the run has every kind of point, and holds wherever a server dies', async () => {
  const { crashPoints, marks, violation } = await runOf('2');
  expect(violation).toBeUndefined();
  expect(new Set(crashPoints.map(({ what }) => what))).toEqual(
    new Set([
      ...['commit', 'apply, before', 'apply, after', 'checkpoint, before', 'checkpoint, after'],
      ...['chunk received', 'checkpoint received', 'restore, before', 'restore, after'],
    ]),
  );
  for (const mark of ['log: conflict removed', 'checkpoint: installed', 'membership: changed']) {
    expect([...marks.keys()]).toContain(mark);
  }
  const failures: string[] = [];
  const { deaths } = await everyCrashPoint('2', {
    every: 47,
    failed: (at, what, result) => failures.push(`${what} ${JSON.stringify(at)}: ${result.violation?.message}`) > 0,
  });
  expect(failures).toEqual([]);
  expect(deaths).toBeGreaterThan(30);
}, 120_000);

it('dies at each chunk of an installation, and before and after it, and is well again', async () => {
  const { crashPoints } = await runOf('2');
  const installing = crashPoints.filter(({ what }) => /received|restore/.test(what));
  for (const point of installing) {
    for (const at of waysToDie(point)) expect((await runOf('2', at)).violation?.message).toBeUndefined();
  }
  expect(installing.length).toBeGreaterThanOrEqual(10);
}, 120_000);

// R16: in the scene of seed 71 the commit that ends an installation removes entries that contradict the checkpoint.
it('dies at each part of the commit that ends an installation over a contradicting tail, and is well again', async () => {
  const run = (crashAt?: CrashPoint) =>
    new World({ seed: '71', unsafeMs: 1_000, ...(crashAt === undefined ? {} : { crashAt }) }).run();
  const { swarm, crashPoints } = await run();
  expect(swarm.script).toBe('contradictedTail');
  const restored = crashPoints.find(({ what }) => what === 'restore, after')!;
  const next = crashPoints.find(({ server, number }) => server === restored.server && number === restored.number + 1)!;
  // The tail, the prefix, and the mark of the installation.
  expect(next.what).toBe('commit');
  expect(next.operations).toBeGreaterThan(3);
  for (const at of waysToDie(next)) expect((await run(at)).violation?.message).toBeUndefined();
}, 60_000);

it('finds a commit that is written in the wrong order, by the death in its middle alone', async () => {
  const mutation = mutations.find(({ name }) => name === 'entries reach the disk before the term that they are of')!;
  const { crashPoints, violation: undisturbed } = await runOf('2', undefined, mutation);
  expect(undisturbed).toBeUndefined();
  const commits = crashPoints.filter(({ what, operations = 0 }) => what === 'commit' && operations > 1);
  const broken: string[] = [];
  for (const at of commits.flatMap(waysToDie)) {
    const { violation } = await runOf('2', at, mutation);
    if (violation !== undefined) broken.push(violation.invariant);
    if (broken.length > 0) break;
  }
  expect(broken).toEqual(['no-server-stops']);
});
