/** The table people read lists exactly the invariants that are watched, with their words. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { invariants } from './index.ts';

it('the README lists every invariant', () => {
  const rows = readFileSync(new URL('./README.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => /^\| [a-z]+-/.test(line));
  expect(rows).toEqual(invariants.map(({ name, says, source }) => `| ${name} | ${says} | ${source} |`));
});
