import { expect, it } from 'vitest';
import { type FlagSpec, parseFlags } from '../../src/cli/flags.ts';

const specs: FlagSpec[] = [
  { name: 'recurse', type: 'bool', help: '' },
  { name: 'name', type: 'string', help: '', default: 'x' },
  { name: 'n', type: 'int', help: '' },
  { name: 'tag', type: 'list', help: '' },
  { name: 'meta', type: 'map', help: '' },
];
const parse = (...words: string[]) => {
  const parsed = parseFlags(words, specs);
  if (!parsed.ok) return parsed.error;
  return { flags: Object.fromEntries(parsed.value.flags.entries()), args: parsed.value.args };
};

it('takes one dash, two dashes and an equals sign alike', () => {
  expect(parse('-name=a', '--n', '3', '-recurse', 'KEY')).toEqual({
    flags: { name: 'a', n: 3, recurse: true },
    args: ['KEY'],
  });
});

it('stops at the first word that is no flag, so that data may begin with a dash', () => {
  expect(parse('KEY', '-5', '-name=a')).toEqual({ flags: {}, args: ['KEY', '-5', '-name=a'] });
  expect(parse('--', '-name')).toEqual({ flags: {}, args: ['-name'] });
});

it('collects lists and maps', () => {
  expect(parse('-tag', 'a', '-tag=b', '-meta', 'k=v', '-meta=l=w=x')).toEqual({
    flags: { tag: ['a', 'b'], meta: { k: 'v', l: 'w=x' } },
    args: [],
  });
});

it.each([
  [['-x'], 'flag provided but not defined: -x'],
  [['-n', 'abc'], 'invalid value "abc" for flag -n: parse error'],
  [['-recurse=maybe'], 'invalid boolean value "maybe" for -recurse: parse error'],
  [['-name'], 'flag needs an argument: -name'],
])('says what is wrong with %j in the words of Go', (words, error) => {
  expect(parse(...words)).toBe(error);
});
