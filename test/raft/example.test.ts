/** The consensus library is used by a program that knows nothing else of Heddle; the page about it shows that program. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/package-root.ts';

it('three servers count, lose their leader, and count on', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(packageRoot, 'examples/replicated-counter.mjs'),
  ]);
  expect(stdout.split('\n')).toEqual([
    'visits: 41',
    'visits: 42, after its leader was lost',
    'read: 42',
    'back: 42',
    '',
  ]);
}, 60_000);

it('docs/raft.md shows it, word for word', () => {
  const page = readFileSync(join(packageRoot, 'docs/raft.md'), 'utf8');
  const [, code] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
  expect(code).toBe(readFileSync(join(packageRoot, 'examples/replicated-counter.mjs'), 'utf8'));
});
