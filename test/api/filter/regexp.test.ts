/** RE2's syntax: what matches, what is refused and in which words; and against JavaScript's engine where both agree. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRegexp } from '../../../src/api/filter/index.ts';

const matches = (pattern: string, text: string): boolean => {
  const compiled = compileRegexp(pattern);
  if (!compiled.ok) throw new Error(compiled.error);
  return compiled.value.test(text);
};

describe('matches', () => {
  it.each<[pattern: string, yes: string[], no: string[]]>([
    ['', ['', 'a'], []],
    ['b+', ['abc'], ['ac']],
    ['^a$', ['a'], ['ab', 'ba', 'a\n']],
    ['(?m)^a$', ['b\na\nc'], ['ab']],
    ['a.c', ['abc', 'aéc'], ['a\nc']],
    ['(?s)a.c', ['a\nc'], []],
    ['(?i)clash', ['CLASH', 'cLaSh'], ['clas']],
    ['(?i)k', ['\u212a'], []],
    ['(?i:a)b', ['Ab'], ['AB']],
    ['(?i)a(?-i)b', ['Ab'], ['AB']],
    ['x{2,3}', ['xx', 'xxx'], ['x']],
    ['^x{2}$', ['xx'], ['xxx']],
    ['x{,2}', ['x{,2}'], ['xx']],
    ['a??b*?', [''], []],
    ['[^a-c]', ['d', '\n'], ['abc']],
    ['[]a]', [']'], ['b']],
    ['[a-]', ['-'], ['b']],
    ['[[:digit:][:^space:]]', ['5', 'x'], [' ']],
    ['\\d\\D\\w\\W\\s\\S', ['1a_- x'], ['111111']],
    ['\\bfoo\\b', ['a foo b'], ['afoo']],
    ['\\Bo', ['foo'], ['o']],
    ['\\Aa\\z', ['a'], ['ba']],
    ['\\Q.*\\E+', ['.**'], ['ab']],
    ['\\x41\\x{1F600}\\101', ['A😀A'], []],
    ['\\pL\\p{Greek}\\PN\\p{^Lu}', ['aλaa'], ['aλa1'.slice(0, 3)]],
    ['(?P<name>a)(?<other>b)', ['ab'], ['a']],
    ['(a|b|)c', ['c', 'ac'], ['a']],
    ['(a*)*$', ['aab'], []],
  ])('%s', (pattern, yes, no) => {
    expect(yes.filter((text) => !matches(pattern, text))).toEqual([]);
    expect(no.filter((text) => matches(pattern, text))).toEqual([]);
  });
});

describe('refuses', () => {
  it.each([
    ['(', 'missing closing ): `(`'],
    ['a)', 'unexpected ): `a)`'],
    ['[a', 'missing closing ]: `[a`'],
    ['[z-a]', 'invalid character class range: `z-a`'],
    ['[[:foo:]]', 'invalid character class range: `[:foo:]`'],
    ['\\p{Nope}', 'invalid character class range: `\\p{Nope}`'],
    ['*', 'missing argument to repetition operator: `*`'],
    ['(|+)', 'missing argument to repetition operator: `+`'],
    ['a**', 'invalid nested repetition operator: `**`'],
    ['a{1001}', 'invalid repeat count: `{1001}`'],
    ['a{3,2}', 'invalid repeat count: `{3,2}`'],
    ['\\8', 'invalid escape sequence: `\\8`'],
    ['\\1', 'invalid escape sequence: `\\1`'],
    ['\\Z', 'invalid escape sequence: `\\Z`'],
    ['a\\', 'trailing backslash at end of expression: ``'],
    ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
    ['(?P<n', 'invalid named capture: `(?P<n`'],
    ['(?P<a b>x)', 'invalid named capture: `(?P<a b>`'],
    ['((a{1000}){1000}){1000}', 'expression too large: `((a{1000}){1000}){1000}`'],
    ['(((){1000}){1000}){1000}', 'expression too large: `(((){1000}){1000}){1000}`'],
  ])('%s', (pattern, error) => {
    expect(compileRegexp(pattern)).toEqual({ ok: false, error: `error parsing regexp: ${error}` });
  });
  it('nesting without end', () => {
    expect(compileRegexp('('.repeat(5000)).ok).toBe(false);
  });
});

describe('properties', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '^', '$', '\\b', 'é', '(?:)');
  const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { depthSize: 'small' },
      atom,
      fc.tuple(tie('pattern'), tie('pattern')).map(([x, y]) => x + y),
      fc.tuple(tie('pattern'), tie('pattern')).map(([x, y]) => `(${x}|${y})`),
      fc.tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{0,2}', '*?')).map(([x, q]) => `(?:${x})${q}`),
    ),
  }));
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', ' ', 'é', 'A'), maxLength: 10 });

  it('agrees with the platform wherever the two languages mean the same', () => {
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        expect(matches(p, t)).toBe(new RegExp(p, 'u').test(t));
      }),
      { numRuns: 2000 },
    );
  });

  it('no pattern throws', () => {
    const character = fc.constantFrom(...'ab()[]{}*+?|\\^$.-:,=!<>PQEpdx123 é'.split(''));
    fc.assert(
      fc.property(fc.array(character, { maxLength: 15 }), text, (characters, t) => {
        const compiled = compileRegexp(characters.join(''));
        if (compiled.ok) expect([true, false]).toContain(compiled.value.test(t));
      }),
      { numRuns: 5000 },
    );
  });

  it('a pattern that ruins backtracking engines costs what any other does', () => {
    expect(matches('^(a+)+$', `${'a'.repeat(20_000)}b`)).toBe(false);
  });
});
