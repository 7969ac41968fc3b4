/** Every command of the tree loads, documents itself, and answers -help; wrong words get the right exit code. */
import { describe, expect, it } from 'vitest';
import { type Group, isGroup, type Leaf, root } from '../../src/cli/registry.ts';
import { heddle } from '../support/cli.ts';

function* leaves(group: Group, path: string[] = []): Generator<[string[], Leaf]> {
  for (const [name, entry] of Object.entries(group.commands)) {
    if (isGroup(entry)) yield* leaves(entry, [...path, name]);
    else yield [[...path, name], entry];
  }
}

const width = 72;

/** Lines of a description that end although the first word of the next one would have fitted. */
function brokenEarly(help: string): string[] {
  const lines = help.split('\n');
  const isProse = (line = ''): boolean => /^ {2}[^ -]/.test(line);
  return lines.filter((line, at) => {
    const next = lines[at + 1];
    if (!isProse(line) || !isProse(next)) return false;
    return `${line.trim()} ${next!.trim().split(' ')[0]}`.length <= width;
  });
}

describe.each([...leaves(root)].map(([path]) => [path.join(' '), path] as const))('heddle %s', (name, path) => {
  it('prints its help on standard output, wherever -help stands', async () => {
    const { exit, out } = await heddle([...path, 'x', '-help']);
    expect(exit).toBe(0);
    expect(out).toContain(`Usage: heddle ${name}`);
    expect(brokenEarly(out)).toEqual([]);
  });

  it('refuses an unknown flag with the list of those it knows', async () => {
    const { exit, err } = await heddle([...path, '-nosuch']);
    expect(exit).toBeGreaterThan(0);
    expect(err).toContain('flag provided but not defined: -nosuch\nUsage:');
  });
});

it.each([
  [[], 127],
  [['nope'], 127],
  [['kv'], 1],
  [['kv', 'nope'], 1],
  [['-help'], 0],
  [['kv', '-h'], 0],
  [['-token=x', 'kv', 'get'], 1],
])('exits %j with %d', async (argv, exit) => {
  expect((await heddle(argv)).exit).toBe(exit);
});
