// What a crash leaves in a server's log is found, and what a server says when it stops as it must is not taken for one.
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { crashesIn } from '../../jepsen-like/real/crash-dumps.ts';

/** The log of a Node program that ends by itself. */
function logOf(program: string): string {
  try {
    return execFileSync(process.execPath, ['-e', program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return stdout + stderr;
  }
}

it.each([
  ['an exception that nobody caught', "throw new TypeError('x is no function')", /TypeError: x is no function/],
  ['a rejection that nobody caught', "Promise.reject(new RangeError('port 99999'))", /RangeError: port 99999/],
  ['an error event without a listener', "new (require('events'))().emit('error', new Error('EPIPE'))", /Error: EPIPE/],
])('finds %s', (_, program, reason) => {
  const crashes = crashesIn(`==> Heddle agent running!\n${logOf(program)}\n==> Starting\n`);
  expect(crashes).toHaveLength(1);
  expect(crashes[0]).toMatch(reason);
});

it('takes no stop with a reason for a crash', () => {
  const log = [
    '2026-01-01T00:00:00.000Z [ERROR] agent.server: stopped by a failure: code=storageFailed error="raft: a write to the log failed: EIO"',
    '2026-01-01T00:00:00.000Z [INFO]  agent: Exit code: code=1',
    '2026-01-01T00:00:00.000Z [ERROR] agent.http: request failed: error="Error: No cluster leader"',
  ].join('\n');
  expect(crashesIn(log)).toEqual([]);
});
