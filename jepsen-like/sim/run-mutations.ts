/**
 * Does the net catch fish? Each planted bug alone, seed after seed, until an invariant breaks.
 *
 *   npm run sim:mutations -- [--seeds MAX] [--from N] [--only TEXT]
 *
 * A bug that is not found within the budget is a hole in the harness, and the exit code says so. The few that another rule covers say
 * why; one of them that is found is a hole in that reasoning.
 */
import { parseArgs } from 'node:util';
import { type Mutation, mutations } from '../mutations/index.ts';
import { World } from './world.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '300' },
    from: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    ms: { type: 'string', default: '10000' },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function seedsToFind(mutation: Mutation): Promise<{ seeds: number; how: string } | undefined> {
  for (let i = 0; i < Number(values.seeds); i++) {
    const world = new World({ seed: String(Number(values.from) + i), unsafeMs: Number(values.ms), mutation });
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
  if (!mutation.name.includes(values.only)) continue;
  const found = await seedsToFind(mutation);
  const seeds = found === undefined ? `>${values.seeds}` : String(found.seeds);
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
