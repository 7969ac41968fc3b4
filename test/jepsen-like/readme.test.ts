// The tables people read are those of the registries, word for word.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { nemeses } from '../../jepsen-like/nemeses/index.ts';
import { workloads } from '../../jepsen-like/workloads/index.ts';

const readme = readFileSync(new URL('../../jepsen-like/README.md', import.meta.url), 'utf8');

function table(heading: string): string[][] {
  const section = readme.split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!;
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

it('the README lists every workload with its promise', () => {
  const rows = Object.values(workloads).map(({ name, promise, clients }) => [name, promise, String(clients)]);
  expect(table('Workloads')).toEqual(rows);
});

it('the README lists every nemesis with what it does', () => {
  expect(table('Nemeses')).toEqual(Object.values(nemeses).map(({ name, does }) => [name, does]));
});
