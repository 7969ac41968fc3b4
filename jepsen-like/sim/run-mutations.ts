/**
 * Does the net catch fish? Each planted bug alone, seed after seed, until an invariant breaks.
 *
 *   npm run sim:mutations -- [--seeds MAX] [--from N] [--only TEXT]
 *
 * A bug that is not found within the budget is a hole in the harness, and the exit code says so. The few that another rule covers say
 * why; one of them that is found is a hole in that reasoning.
 */
import { numberIn, readCommandLine } from '../command-line.ts';
import { type Mutation, mutations } from '../mutations/index.ts';
import { everyCrashPoint } from './every-crash-point.ts';
import { type RunResult, World } from './world.ts';

const {
  seeds: seedsMax,
  from,
  only,
  unsafeMs,
} = readCommandLine(
  {
    script: 'sim:mutations',
    about:
      'Plants each known bug alone and runs seed after seed until the simulation finds it. Exit code 1: one was not found.',
    options: {
      seeds: { type: 'string', value: 'MAX', default: '300', help: 'how many seeds a bug may take' },
      from: { type: 'string', value: 'N', default: '1', help: 'the first seed' },
      only: { type: 'string', value: 'TEXT', default: '', help: 'bugs with this in their name' },
      ms: { type: 'string', value: 'MS', default: '10000', help: 'virtual milliseconds of faults in a run' },
    },
  },
  ({ values }) => ({
    seeds: numberIn('--seeds', values.seeds, { least: 1, whole: true }),
    from: numberIn('--from', values.from, { whole: true }),
    only: values.only,
    unsafeMs: numberIn('--ms', values.ms),
  }),
);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function deathsToFind(mutation: Mutation): Promise<{ seeds: number; how: string } | undefined> {
  let how: string | undefined;
  const failed = (_at: unknown, _what: string, { violation }: RunResult): boolean => {
    how = violation?.invariant;
    return false;
  };
  const { deaths } = await everyCrashPoint('2', { mutation, failed });
  return how === undefined ? undefined : { seeds: deaths, how };
}

async function seedsToFind(mutation: Mutation): Promise<{ seeds: number; how: string } | undefined> {
  if (mutation.byCrashPoints) return deathsToFind(mutation);
  for (let i = 0; i < seedsMax; i++) {
    const world = new World({ seed: String(from + i), unsafeMs, mutation });
    const { violation } = await world.run();
    if (violation !== undefined) return { seeds: i + 1, how: violation.invariant };
  }
  return undefined;
}

const holes: string[] = [];
let planted = 0;
let harmless = 0;
print('seeds  broken invariant          planted bug (source)');
for (const mutation of mutations) {
  if (!mutation.name.includes(only)) continue;
  const found = await seedsToFind(mutation);
  const seeds = found === undefined ? `>${seedsMax}` : String(found.seeds);
  const line = (how: string): void =>
    print(`${seeds.padStart(5)}  ${how.padEnd(24)}  ${mutation.name} (${mutation.source})`);
  if (mutation.harmless === undefined) {
    planted++;
    line(found?.how ?? 'NOT FOUND');
    if (found === undefined) holes.push(`not found: ${mutation.name}`);
  } else {
    harmless++;
    line(found === undefined ? 'none, as it must be' : `${found.how}: NOT HARMLESS`);
    if (found !== undefined) holes.push(`not harmless: ${mutation.name}: "${mutation.harmless}"`);
  }
}
const found = planted - holes.filter((hole) => hole.startsWith('not found')).length;
print(`${found} of ${planted} planted bugs found; ${harmless} that other rules cover ran beside them`);
for (const hole of holes) print(hole);
if (holes.length > 0) process.exitCode = 1;
