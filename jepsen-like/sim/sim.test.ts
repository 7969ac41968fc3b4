/** A few fixed seeds of the simulation, the same every time; the long campaigns are `npm run sim`. */
import { expect, it } from 'vitest';
import { commandMutations } from '../mutations/commands.ts';
import { mutations } from '../mutations/index.ts';
import { ruleMutations } from '../mutations/rules.ts';
import { World } from './world.ts';

const unsafeMs = 6_000;

it.each(['1', '2', '3', '1007', '1012', '1042'])('holds every invariant under seed %s', async (seed) => {
  const result = await new World({ seed, unsafeMs }).run();
  expect(result.violation).toBeUndefined();
  // A run in which clients got nothing done shows nothing.
  expect(result.operations.filter(({ outcome }) => outcome === 'ok').length).toBeGreaterThan(20);
});

// In 1795530827886 a lock is refused by its delay, without an entry.
it.each(['4', '14', '30', '1795530827886'])(
  "holds them with Heddle's own state machine under seed %s",
  async (seed) => {
    const { violation, marks } = await new World({ seed, state: 'heddle', unsafeMs: 10_000 }).run();
    expect(violation).toBeUndefined();
    expect([...marks.keys()].filter((name) => name.startsWith('command: ')).length).toBeGreaterThan(4);
  },
);

/** Seeds that once found something; each run is kept with what it showed. */
it.each([
  { seed: '5003', story: 'a leader removed itself and was cut off before the last voter had the final configuration' },
  { seed: '1795513622929', story: 'a checkpoint begun before an installation ended after it, then the power went' },
  { seed: '1795513622987', story: 'a read waited for the word of a server that was removed' },
  { seed: '1795518791794', story: 'an old server stopped in the middle of a run that it should have taken back' },
  { seed: '1795513623045', story: 'a server died while its log was being made, and could not begin again' },
  { seed: '1795521443953', story: 'one entry a round trip takes long to catch up, and is no standstill' },
  {
    seed: '1795538670987',
    story: 'a client read the key in a state that was empty, and asked for another change than it noted down',
    state: 'heddle' as const,
  },
])('stays well where it once failed: $story', async ({ seed, state }) => {
  const run = new World({ seed, unsafeMs: 10_000, ...(state === undefined ? {} : { state }) }).run();
  expect((await run).violation).toBeUndefined();
});

it('gives the same trace, byte for byte, for the same seed, and another for another', async () => {
  const digest = async (seed: string): Promise<string> => (await new World({ seed, unsafeMs: 3_000 }).run()).digest;
  const first = await digest('11');
  expect(await digest('11')).toBe(first);
  expect(await digest('12')).not.toBe(first);
});

/** Each scene reaches the state that it is about: with the rule planted that fails there, it fails. */
it.each([
  { scene: 'figure8', seed: '21', planted: 'an entry of an older term is committed by counting' },
  { scene: 'halfJoint', seed: '54', planted: 'half of a joint configuration elects' },
  { scene: 'restartedVoter', seed: '22', planted: 'a server that restarts forgets that it promised a lease' },
  { scene: 'lateLeader', seed: '19', planted: 'messages of earlier terms are obeyed' },
  { scene: 'lateAnswers', seed: '72', planted: 'the lease begins when the answer arrives' },
  { scene: 'learnersLease', seed: '18', planted: 'learners confirm a read' },
  { scene: 'contradictedTail', seed: '9', planted: 'a tail that contradicts an installed checkpoint is kept' },
  { scene: 'replacedDisk', seed: '38', planted: 'a voter whose disk was replaced counts as before' },
])('the scene $scene finds: $planted', async ({ scene, seed, planted }) => {
  const mutation = mutations.find(({ name }) => name === planted)!;
  const { swarm, violation } = await new World({ seed, unsafeMs: 10_000, mutation }).run();
  expect(swarm.script).toBe(scene);
  expect(violation).toBeDefined();
  expect((await new World({ seed, unsafeMs: 3_000 }).run()).violation).toBeUndefined();
});

it('notices a leader that counts what its own disk does not hold', async () => {
  const mutation = ruleMutations.find(({ name }) => name.startsWith('leader counts its own copy'))!;
  const violations = new Set<string | undefined>();
  for (const seed of ['1', '2', '3']) {
    violations.add((await new World({ seed, unsafeMs, mutation }).run()).violation?.invariant);
  }
  expect(violations).toContain('commit-durability');
});

it.each([
  { planted: 'a command looks at the clock of the server that applies it', breaks: 'state-machine-safety' },
  { planted: 'a key that is written keeps the index of its creation', breaks: 'query-indexes' },
  { planted: 'the last instance of a service goes without a word to its readers', breaks: 'query-indexes' },
  { planted: 'a compare-and-set overwrites whatever is there', breaks: 'linearizability' },
  { planted: 'a serial number is not noted as given', breaks: 'serials' },
])('finds in the real state machine: $planted', async ({ planted, breaks }) => {
  const mutation = commandMutations.find(({ name }) => name === planted)!;
  const violations = new Set<string | undefined>();
  for (const seed of ['1', '2', '7', '10']) {
    violations.add((await new World({ seed, unsafeMs: 10_000, mutation }).run()).violation?.invariant);
  }
  expect(violations).toContain(breaks);
});
