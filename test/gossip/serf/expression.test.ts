/** Expressions from the network: they agree with JavaScript's engine on what both understand, in linear time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Expression } from '../../../src/gossip/serf/expression.ts';

const test = (source: string, text: string): boolean | undefined => Expression.parse(source)?.test(text);

describe('tables', () => {
  it.each([
    ['d.*', 'db', true],
    ['d.*', 'web', false],
    ['^web$', 'web', true],
    ['^web$', 'webs', false],
    ['', 'anything', true],
    ['a|b|', '', true],
    ['^(web|db)-\\d+$', 'db-12', true],
    ['^(web|db)-\\d+$', 'db-', false],
    ['^a{2,3}$', 'aaaa', false],
    ['^a{2,3}$', 'aaa', true],
    ['^a{2,}$', 'aaaaa', true],
    ['(?i)EU-West', 'eu-west-1', true],
    ['^[^a-c]+$', 'xyz', true],
    ['^[^a-c]+$', 'xbz', false],
    ['^[[:alpha:]_]+$', 'Ab_', true],
    ['\\bweb\\b', 'a web b', true],
    ['\\bweb\\b', 'cobwebs', false],
    ['^.$', '\n', false],
    ['(?s)^.$', '\n', true],
    ['^\\x41\\.$', 'A.', true],
    ['^ü+$', 'üü', true],
    ['(?P<x>a)b', 'ab', true],
    ['a+?b', 'aab', true],
  ])('%s on %j: %s', (source, text, expected) => {
    expect(test(source, text)).toBe(expected);
  });

  it.each(['(', ')', '[a', 'a**', '*', '\\', '\\1', '(?=a)', '(?<!a)', 'a{2000}', '[b-a]', '(?x)a'])(
    '%s is no expression',
    (source) => {
      expect(Expression.parse(source)).toBeUndefined();
    },
  );
});

it('agrees with the engine of the platform', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '^', '$', '(?:ab)', '(a|b)', '(?:a|)');
  const piece = fc.tuple(atom, fc.constantFrom('', '*', '+', '?', '{1,2}')).map(([one, times]) => {
    return one === '^' || one === '$' ? one : one + times;
  });
  const source = fc.array(fc.array(piece, { maxLength: 5 }), { minLength: 1, maxLength: 3 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
  fc.assert(
    fc.property(source, text, (alternatives, subject) => {
      const pattern = alternatives.map((pieces) => pieces.join('')).join('|');
      expect(test(pattern, subject), pattern).toBe(new RegExp(pattern).test(subject));
    }),
    { numRuns: 2_000 },
  );
});

it('what would take a backtracking engine for ever ends, and nothing crashes it', () => {
  expect(test('^(a+)+$', `${'a'.repeat(500)}b`)).toBe(false);
  expect(test('^(a|a)*$', `${'a'.repeat(500)}b`)).toBe(false);
  expect(Expression.parse('('.repeat(100_000))).toBeUndefined();
  expect(Expression.parse(`${'('.repeat(400)}a${'){9}'.repeat(400)}`)).toBeUndefined();
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), fc.string({ maxLength: 60 }), (source, text) => void test(source, text)),
    {
      numRuns: 2_000,
    },
  );
});
