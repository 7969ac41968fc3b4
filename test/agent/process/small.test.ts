/**
 * What a process asks of V8. Each case is a process of its own that sets the flags and then looks at what came of them: V8
 * says nothing of a flag that it accepts and complains on standard error about one that it does not know.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packageRoot } from '../../../src/package-root.ts';

const folder = join(packageRoot, '.vitest', `small-${process.pid}`);
const built = join(folder, 'small.mjs');

beforeAll(() =>
  build({
    entryPoints: [join(packageRoot, 'src/agent/process/index.ts')],
    outfile: built,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
  }),
);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the text after `import * as small`; `--trace-opt` tells of each function that is optimised. */
function run(text: string, ...flags: string[]): { out: string; complaints: string } {
  const program = `import * as small from ${JSON.stringify(built)};\n${text}`;
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { out: stdout, complaints: stderr };
}

/** Warm as a start is, not hot: some 30 million bytes of bytecode would be, this is under two. */
const warm = `
function warm(n) { let sum = 0; for (let i = 0; i < n; i++) sum = (sum + i * 3) % 1009; return sum; }
for (let i = 0; i < 500; i++) warm(100);
await new Promise((resolve) => setTimeout(resolve, 50));
for (let i = 0; i < 500; i++) warm(100);
`;

it('this Node knows every flag', () => {
  const { complaints } = run('small.beginAgent(); small.becomeServer(); small.becomeClient();');
  expect(complaints).toBe('');
});

it.skipIf(!process.versions.v8.startsWith('11.'))('optimises what is warm in a server and not in a client', () => {
  const optimised = (become: string): boolean =>
    /completed optimizing .*JSFunction warm/.test(
      run(`small.beginAgent(); small.${become}();${warm}`, '--trace-opt').out,
    );
  expect(optimised('becomeServer')).toBe(true);
  expect(optimised('becomeClient')).toBe(false);
});

it('does not let the young generation of a client grow', () => {
  const semiSpaces = (become: string): number =>
    Number(
      run(
        `import v8 from 'node:v8';
        small.${become}();
        let held = [];
        for (let i = 0; i < 300_000; i++) { held.push({ i }); if (held.length > 100_000) held = []; }
        console.log(v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size);`,
      ).out,
    );
  expect(semiSpaces('becomeClient')).toBeLessThan(semiSpaces('becomeServer'));
});

it('gives back what the start left behind', () => {
  const { out } = run(`
    let waiting;
    const clock = { after: (ms, callback) => { waiting = callback; return () => undefined; } };
    let start = Array.from({ length: 200_000 }, (_, i) => ({ i, text: 'left ' + i }));
    start = undefined;
    small.collectWhenSettled(clock);
    const before = process.memoryUsage().heapTotal;
    waiting();
    const late = Date.now() + 20_000;
    while (process.memoryUsage().heapTotal > before / 2 && Date.now() < late) await new Promise((resolve) => setTimeout(resolve, 20));
    console.log(process.memoryUsage().heapTotal <= before / 2 ? 'smaller' : 'as large as before');
  `);
  expect(out).toBe('smaller\n');
});
