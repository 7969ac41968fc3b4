// The page shows the example that runs as a test beside this file, word for word.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/package-root.ts';

it('docs/testing.md shows the example that runs', () => {
  const page = readFileSync(join(packageRoot, 'docs', 'testing.md'), 'utf8');
  const shown = /```ts\n([\s\S]*?)```/.exec(page)?.[1];
  const ran = readFileSync(join(packageRoot, 'test', 'testing', 'example.test.ts'), 'utf8');
  expect(shown).toBe(ran.replace('../../src/testing/index.ts', 'heddle/testing'));
});
