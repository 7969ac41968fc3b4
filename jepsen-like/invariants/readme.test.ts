/** The table people read lists exactly the invariants that are watched, with their words. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { invariants } from './index.ts';

it('the README lists every invariant', () => {
  const cells = readFileSync(new URL('./README.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => /^\| [a-z]+-/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, 4)
        .map((cell) => cell.trim()),
    );
  expect(cells).toEqual(invariants.map(({ name, says, source }) => [name, says, source]));
});
