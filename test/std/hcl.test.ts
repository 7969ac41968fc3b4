// HCL 1: what real agent files contain, what must be refused, and that no text whatever makes the reader throw.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseHcl } from '../../src/std/hcl.ts';

const plain = (text: string): unknown => {
  const result = parseHcl(text);
  return result.ok ? JSON.parse(JSON.stringify(result.value)) : result.error;
};

it.each([
  ['attributes', 'a = "x"\nb = 1\nc = true\nd = 1.5', { a: 'x', b: 1, c: true, d: 1.5 }],
  ['comments', '# one\na = 1 // two\n/* three\n */ b = 2', { a: 1, b: 2 }],
  ['blocks and assigned objects are the same', 'p { x = 1 }\nq = { x = 1 }', { p: { x: 1 }, q: { x: 1 } }],
  [
    'one line, blanks only between pairs',
    'ports { http = 1 dns = 2, grpc = 3 }',
    { ports: { http: 1, dns: 2, grpc: 3 } },
  ],
  ['quoted keys', 'm { "a b" = "x" "c" = "y" }', { m: { 'a b': 'x', c: 'y' } }],
  ['a repeated block is a list', 's { n = 1 }\ns { n = 2 }', { s: [{ n: 1 }, { n: 2 }] }],
  ['a repeated scalar: the last wins', 'a = 1\na = 2', { a: 2 }],
  ['labels nest', 'service "web" { policy = "read" }', { service: { web: { policy: 'read' } } }],
  ['lists', 'a = [1, "b", [true], { c = 1 },]', { a: [1, 'b', [true], { c: 1 }] }],
  ['whole numbers', 'a = 0x1f\nb = 017\nc = -5\nd = 1e3', { a: 31, b: 15, c: -5, d: 1000 }],
  ['escapes', 'a = "q\\"\\n\\u00e9\\x41"', { a: 'q"\né A'.replace(' ', '') }],
  ['templates stay', `a = "x \${f("y")} {{ GetPrivateIP }}"`, { a: `x \${f("y")} {{ GetPrivateIP }}` }],
  ['heredoc', 'a = <<EOF\none\n two\nEOF\nb = 1', { a: 'one\n two\n', b: 1 }],
  ['indented heredoc', 'a = <<-EOF\n  one\n    two\n  EOF\n', { a: 'one\n  two\n' }],
  ['names of the language itself', '__proto__ = 1\nconstructor = 2', JSON.parse('{"__proto__":1,"constructor":2}')],
])('reads %s', (_name, text, expected) => {
  expect(plain(text)).toEqual(expected);
});

it.each([
  ['an unfinished object', 'a = 1\nb = 2\nports { http = \n', 'At 4:2: object expected closing RBRACE got: EOF'],
  ['an unquoted value', 'a = b', 'At 1:5: Unknown token: 1:5 IDENT b'],
  ['an unfinished string', 'a = "b\n', 'At 1:5: literal not terminated'],
  ['a missing comma', 'a = ["x" "y"]', 'At 1:10: error parsing list, expected comma or list end, got: STRING'],
  ['JSON colons', 'a : 1', 'At 1:3: illegal character'],
])('refuses %s', (_name, text, expected) => {
  expect(plain(text)).toBe(expected);
});

it('never throws, whatever the text', () => {
  const pieces = fc.constantFrom(
    'a',
    '"',
    '{',
    '}',
    '[',
    ']',
    '=',
    ',',
    '\n',
    ' ',
    '<<E',
    'E',
    '${',
    '\\',
    '/*',
    '*/',
    '0x',
    '9',
    '-',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((p) => p.join('')),
      ),
      (text) => {
        const result = parseHcl(text);
        expect(result.ok || /^At \d+:\d+: /.test(result.error)).toBe(true);
      },
    ),
  );
});

it('refuses nesting that would exhaust the stack', () => {
  expect(plain(`a = ${'['.repeat(100_000)}`)).toMatch(/nested deeper than/);
});

it('writes of any JSON object as HCL read back the same', () => {
  const write = (value: unknown): string =>
    Array.isArray(value)
      ? `[${value.map(write).join(', ')}]`
      : value !== null && typeof value === 'object'
        ? `{\n${Object.entries(value)
            .map(([k, v]) => `${JSON.stringify(k)} = ${write(v)}`)
            .join('\n')}\n}`
        : JSON.stringify(value);
  const word = fc.stringMatching(/^[A-Za-z0-9 _.-]{1,8}$/);
  const scalar = fc.oneof(word, fc.integer(), fc.boolean());
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(scalar, fc.array(tie('tree'), { maxLength: 3 }), fc.dictionary(word, tie('tree'), { maxKeys: 3 })),
  }));
  fc.assert(
    fc.property(fc.dictionary(word, tree, { maxKeys: 4 }), (object) => {
      const text = Object.entries(object)
        .map(([k, v]) => `${JSON.stringify(k)} = ${write(v)}`)
        .join('\n');
      expect(plain(text)).toEqual(JSON.parse(JSON.stringify(object)));
    }),
  );
});
