// The pages show the examples that run as tests beside this file, word for word.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/package-root.ts';

const text = (...path: string[]): string => readFileSync(join(packageRoot, ...path), 'utf8');
const shown = (...path: string[]): string[] =>
  [...text(...path).matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
const ran = (file: string): string =>
  text('test', 'testing', file).replace('../../src/testing/index.ts', 'heddle/testing');

it('docs/testing.md shows the examples that run', () => {
  expect(shown('docs', 'testing.md')).toEqual([ran('example.test.ts'), ran('simulated-example.test.ts')]);
});

it('the README shows the simulated one', () => {
  expect(shown('README.md')).toContain(ran('simulated-example.test.ts'));
});
