/**
 * Does the net catch fish? Each planted bug alone, seed after seed, until an invariant breaks.
 *
 *   npm run sim:mutations -- [--seeds MAX] [--from N] [--only TEXT]
 *
 * A bug that is not found within the budget is a hole in the harness, and the exit code says so.
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

const missed: string[] = [];
let total = 0;
print('seeds  broken invariant          planted bug (source)');
for (const mutation of mutations) {
  if (!mutation.name.includes(values.only)) continue;
  total++;
  const found = await seedsToFind(mutation);
  if (found === undefined) missed.push(mutation.name);
  const seeds = found === undefined ? `>${values.seeds}` : String(found.seeds);
  print(`${seeds.padStart(5)}  ${(found?.how ?? 'NOT FOUND').padEnd(24)}  ${mutation.name} (${mutation.source})`);
}
print(`${total - missed.length} of ${total} planted bugs found`);
if (missed.length > 0) process.exitCode = 1;
