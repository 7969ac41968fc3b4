// What nemeses pull does what they say: a quota makes a busy process wait, a blocked event loop runs no timer.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CpuQuota } from '../../jepsen-like/real/cpu-quota.ts';
import { setBlock, withBlocker } from '../../jepsen-like/real/loop-blocking.ts';
import { packageRoot } from '../../src/package-root.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A program that prints lines, and how to wait for the next. */
function start(words: readonly string[]): { pid: number; line: () => Promise<string> } {
  const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return { pid: child.pid!, line: async () => (await lines.next()).value as string };
}

const unable = CpuQuota.missing();
it.skipIf(unable !== undefined)(`a quota makes a busy process wait (${unable ?? 'can be tried here'})`, async () => {
  // Ten milliseconds of CPU a line.
  const busy = `for (;;) { const from = process.cpuUsage().user; while (process.cpuUsage().user < from + 10_000); require('fs').writeSync(1, 'x\\n'); }`;
  const { pid, line } = start([process.execPath, '-e', busy]);
  await line();
  const quota = CpuQuota.of(pid, 0.1);
  for (let i = 0; i < 6; i++) await line();
  expect(quota.lift()).toBeGreaterThan(0);
  await line();
});

describe('a blocked event loop', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-block-'));
  // What is loaded into a server is what is built.
  beforeAll(
    () => execFileSync(process.execPath, ['scripts/ready.mjs', '--build'], { cwd: packageRoot, stdio: 'ignore' }),
    120_000,
  );
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('runs no timer while it is blocked, and all after it', async () => {
    // Prints how long each turn of the loop took, in tenths of a second.
    const turns = `let from = performance.now(); console.log('up'); setInterval(() => {
      const tenths = Math.floor((performance.now() - from) / 100); from = performance.now(); if (tenths > 2) console.log(tenths); }, 1);`;
    const { pid, line } = start(withBlocker(folder, 0, [process.execPath, '-e', turns]));
    expect(await line()).toBe('up');
    setBlock(folder, 0, 500);
    process.kill(pid, 'SIGUSR2');
    expect(Number(await line())).toBeGreaterThanOrEqual(5);
  });
});
