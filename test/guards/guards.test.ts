/**
 * A guard that sees nothing passes for a good one: each is shown a planted violation that it must report.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = execFileSync('git', ['rev-parse', '--show-toplevel'], { encoding: 'utf8' }).trim();
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-guards-'));
  for (const file of [
    'package.json',
    'biome.json',
    'tsconfig.json',
    'tsconfig.pure.json',
    '.dependency-cruiser.cjs',
    'knip.json',
  ]) {
    cpSync(join(root, file), join(folder, file));
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  plant('src/std/assert.ts', 'export const fine = 1;\n');
  plant('src/raft/index.ts', 'export const raft = 1;\n');
  plant(
    'src/raft/core/clock.ts',
    "import { readFileSync } from 'node:fs';\nexport const now = (): unknown => [Date.now(), readFileSync];\n",
  );
  plant('src/raft/lonely.ts', 'export const lonely = 1;\n');
  plant('src/index.ts', "export { used } from './std/some.ts';\n");
  plant('src/std/some.ts', 'export const used = 1;\nexport const forgotten = 1;\n');
  plant('src/gossip/node.ts', "import { raft } from '../raft/index.ts';\nexport const both = raft;\n");
  plant('src/fsm/a.ts', "import { b } from './b.ts';\nexport const a = (): unknown => b;\n");
  plant('src/fsm/b.ts', "import { a } from './a.ts';\nexport const b = (): unknown => a;\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function plant(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function run(...words: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('npx', ['--no-install', ...words], { cwd: folder, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

it('the import rules see a library that knows another, a platform module in a core, and a cycle', () => {
  const { status, output } = run('depcruise', '--config', '.dependency-cruiser.cjs', 'src');
  expect(status).not.toBe(0);
  expect(output).toContain('gossip-imports');
  expect(output).toContain('pure-cores');
  expect(output).toContain('no-cycles');
});

it('the lint sees a clock and a platform module in a pure core', () => {
  const { status, output } = run('biome', 'lint', '--vcs-enabled=false', 'src/raft/core/clock.ts');
  expect(status).not.toBe(0);
  expect(output).toContain('noRestrictedGlobals');
  expect(output).toContain('noRestrictedImports');
});

it('the pure type check knows no platform', () => {
  const { status, output } = run('tsc', '-p', 'tsconfig.pure.json');
  expect(status).not.toBe(0);
  expect(output).toContain('src/raft/core/clock.ts');
});

it('what nobody imports is seen: a file, and an export', () => {
  const { status, output } = run('knip', '--include', 'files,exports');
  expect(status).not.toBe(0);
  expect(output).toContain('src/raft/lonely.ts');
  expect(output).toContain('forgotten');
  expect(output).toContain('Unused exports (1)');
});
