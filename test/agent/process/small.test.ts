/**
 * What a process asks of V8. Each case is a process of its own that sets the flags and then looks at what came of them: V8
 * says nothing of a flag that it accepts and complains on standard error about one that it does not know.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { becomeClient } from '../../../src/agent/process/index.ts';
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

/** Hot: V8 optimises it within a moment, if it may. */
const hot = `
function hot(n) { let sum = 0; for (let i = 0; i < n; i++) sum = (sum + i * 3) % 1009; return sum; }
for (let round = 0; round < 20; round++) {
  for (let i = 0; i < 5_000; i++) hot(100);
  await new Promise((resolve) => setTimeout(resolve, 5));
}
`;
const clock = '{ monotonicMs: () => performance.now(), after: () => () => undefined }';

it('this Node knows every flag', () => {
  const { complaints } = run(`small.beginAgent(); small.becomeServer(() => 0); small.becomeClient(${clock});`);
  expect(complaints).toBe('');
});

it('optimises what is hot in a server, and not in a client at rest', () => {
  const optimised = (become: string): boolean =>
    /completed optimizing .*JSFunction hot.*TURBOFAN/.test(
      run(`small.beginAgent(); ${become}; ${hot}`, '--trace-opt').out,
    );
  expect(optimised('small.becomeServer(() => 512)')).toBe(true);
  expect(optimised(`small.becomeClient(${clock})`)).toBe(false);
});

it('does not let the young generation of a client at rest grow', () => {
  const youngBytes = (become: string): number =>
    Number(
      run(
        `import v8 from 'node:v8';
        ${become};
        let held = [];
        for (let i = 0; i < 300_000; i++) { held.push({ i }); if (held.length > 100_000) held = []; }
        console.log(v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size);`,
      ).out,
    );
  expect(youngBytes(`small.becomeClient(${clock})`)).toBeLessThan(youngBytes('small.becomeServer(() => 512)'));
});

it.skipIf(!process.versions.v8.startsWith('11.'))(
  'bounds the young generation of a server with few connections',
  () => {
    const youngMiB = (connections: number): number =>
      Number(
        run(
          `import v8 from 'node:v8';
        small.beginAgent();
        small.becomeServer(() => ${connections});
        let held = [];
        for (let turn = 0; turn < 100; turn++) {
          for (let i = 0; i < 20_000; i++) { held.push({ i }); if (held.length > 50_000) held = []; }
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        console.log(v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20);
        process.exit();`,
        ).out,
      );
    expect(youngMiB(64)).toBeGreaterThanOrEqual(8);
    expect(youngMiB(64)).toBeLessThan(youngMiB(512));
  },
);

it('gives back what the start left behind', () => {
  const { out } = run(`
    let waiting;
    const clock = { monotonicMs: () => 0, after: (ms, callback) => { waiting = callback; return () => undefined; } };
    let start = Array.from({ length: 200_000 }, (_, i) => ({ i, text: 'left ' + i }));
    start = undefined;
    small.becomeClient(clock);
    const before = process.memoryUsage().heapTotal;
    waiting();
    const late = Date.now() + 20_000;
    while (process.memoryUsage().heapTotal > before / 2 && Date.now() < late) await new Promise((resolve) => setTimeout(resolve, 20));
    console.log(process.memoryUsage().heapTotal <= before / 2 ? 'smaller' : 'as large as before');
  `);
  expect(out).toBe('smaller\n');
});

/** A client whose seconds are given as shares of a core; what it did, with the second in which it did it. */
function life(shares: readonly number[]): string[] {
  const did: string[] = [];
  let [nowMs, cpuMs, second] = [0, 0, 0];
  let next: { readonly atMs: number; readonly callback: () => void } | undefined;
  becomeClient(
    {
      monotonicMs: () => nowMs,
      wallMs: () => nowMs,
      after: (delayMs, callback) => {
        next = { atMs: nowMs + delayMs, callback };
        return () => undefined;
      },
    },
    {
      cpuMs: () => cpuMs,
      set: (mode) => did.push(`${second} ${mode}`),
      collect: () => did.push(`${second} collect`),
    },
  );
  for (const share of shares) {
    second++;
    nowMs += 1_000;
    cpuMs += share * 1_000;
    if (next !== undefined && next.atMs <= nowMs) {
      const { callback } = next;
      next = undefined;
      callback();
    }
  }
  return did;
}
const seconds = (count: number, share: number): number[] => Array.from({ length: count }, () => share);

it.each([
  { name: 'at rest it stays so', shares: [...seconds(10, 0.5), ...seconds(600, 0.01)], did: ['0 rest', '10 collect'] },
  {
    name: 'a second of work is enough, a minute without it is rest',
    shares: [...seconds(20, 0.01), 0.3, ...seconds(100, 0.01)],
    did: ['0 rest', '10 collect', '21 work', '81 rest', '81 collect'],
  },
  {
    name: 'a little now and then begins the minute anew',
    shares: [...seconds(10, 0), 0.9, ...seconds(59, 0.01), 0.06, ...seconds(59, 0.01)],
    did: ['0 rest', '10 collect', '11 work'],
  },
])('$name', ({ shares, did }) => {
  expect(life(shares)).toEqual(did);
});
