// The real harness is not blind: a sidecar that never hears of a change of intentions is found, by real connections through it.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packageRoot } from '../../src/package-root.ts';

const out = mkdtempSync(join(tmpdir(), 'heddle-planted-'));
// Servers and sidecars are processes: they run what is built.
beforeAll(
  () => execFileSync(process.execPath, ['scripts/ready.mjs', '--build'], { cwd: packageRoot, stdio: 'ignore' }),
  120_000,
);
afterAll(() => rmSync(out, { recursive: true, force: true, maxRetries: 5 }));

/** One server and two hosts; only the workload of connections. */
function run(...more: string[]): Promise<{ code: number; said: string }> {
  const words = ['dist/jepsen-like/real/run.js', '--servers', '1', '--nemesis', 'none', '--workload', 'connections'];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...words, '--time', '6', '--out', out, ...more],
      { cwd: packageRoot },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), said: stdout + stderr }),
    );
  });
}

it('a deaf sidecar is found', async () => {
  const { code, said } = await run('--plant', 'deaf-sidecar');
  expect(said).toMatch(
    /FAIL {2}connections .*was carried \d+ ms after a deny was acknowledged, and \d+ ms after the agent had it/,
  );
  expect(code).toBe(1);
}, 120_000);
