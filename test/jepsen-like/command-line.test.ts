/** The command line of the scripts: what is declared is read and printed, anything else is refused. */
import { expect, it } from 'vitest';
import { numberIn, parseCommandLine, UsageError, usageOf } from '../../jepsen-like/command-line.ts';

const script = {
  script: 'bench:sample',
  about: 'A sample.',
  words: { usage: '[writes] [CLIENTS…]', help: 'parts', most: 3, names: ['writes', 'reads'], numbers: true },
  options: {
    seed: { type: 'string', value: 'N', help: 'the seed' },
    ms: { type: 'string', value: 'MS', default: '10', help: 'how long' },
    trace: { type: 'boolean', default: false, help: 'prints all' },
  },
  environment: { BENCH_SUBNET: 'where it listens' },
} as const;

it('tells names, numbers and options apart', () => {
  expect(parseCommandLine(script, ['writes', '64', '--seed', '7', '512', '--trace'])).toEqual({
    names: ['writes'],
    numbers: [64, 512],
    values: expect.objectContaining({ seed: '7', ms: '10', trace: true }),
  });
});

it.each([
  ['a word that is no name', ['write'], '[writes] [CLIENTS…] "write": want a number, 1 or more'],
  ['a number that is none', ['0'], '[writes] [CLIENTS…] "0": want a number, 1 or more'],
  ['too many words', ['1', '2', '3', '4'], '"4" is one word too many'],
  ['an option that is none', ['--sed', '1'], "Unknown option '--sed'"],
  ['an option without its value', ['--seed'], "Option '--seed <value>' argument missing"],
])('refuses %s', (_, given, message) => {
  expect(() => parseCommandLine(script, given)).toThrow(message);
});

it('refuses a word where only names are, and any where none is declared', () => {
  const { numbers: _, ...names } = script.words;
  expect(() => parseCommandLine({ ...script, words: names }, ['7'])).toThrow('"7" is none of writes, reads');
  const { words: __, ...none } = script;
  expect(() => parseCommandLine(none, ['7'])).toThrow("Unexpected argument '7'");
});

it.each([
  ['ten', {}],
  ['', {}],
  ['-1', {}],
  ['1.5', { whole: true }],
  ['2', { least: 3 }],
  ['Infinity', {}],
])('takes %j for no number (%j)', (text, bounds) => {
  expect(() => numberIn('--ms', text, bounds)).toThrow(UsageError);
});

it('prints what there is, with defaults', () => {
  expect(parseCommandLine(script, ['--help', 'writes'])).toBe('help');
  expect(usageOf(script)).toBe(`npm run bench:sample -- [options] [writes] [CLIENTS…]

A sample.

  [writes] [CLIENTS…]  parts
  --seed N             the seed
  --ms MS              how long (10)
  --trace              prints all
  --help               this text
  BENCH_SUBNET         where it listens
`);
});
