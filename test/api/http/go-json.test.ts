/**
 * JSON in Go's words: the texts for broken input, exact numbers, escaped output. The scanner is compared with JSON.parse
 * on anything that fast-check thinks of: they must agree on what is JSON, and on the value wherever no precision is lost.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeJson, indentJson, JsonNumber, parseJson } from '../../../src/api/http/go-json.ts';
import { scanJson } from '../../../src/api/http/json-scan.ts';

describe('error texts', () => {
  it.each([
    ['', 'EOF'],
    [' \n', 'EOF'],
    ['{"a":', 'unexpected EOF'],
    ['{', 'unexpected EOF'],
    ['"abc', 'unexpected EOF'],
    ['tr', 'unexpected EOF'],
    ['-', 'unexpected EOF'],
    ['nope', "invalid character 'o' in literal null (expecting 'u')"],
    ['xyz', "invalid character 'x' looking for beginning of value"],
    ['{nope', "invalid character 'n' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['\u00e9', "invalid character 'Ã' looking for beginning of value"],
    ['\u0001', "invalid character '\\x01' looking for beginning of value"],
    ['[01]', "invalid character '1' after array element"],
  ])('%j', (text, error) => {
    expect(parseJson(text)).toEqual({ ok: false, error });
  });

  it('refuses ten thousand open brackets without falling over', () => {
    expect(parseJson('['.repeat(200_000))).toEqual({ ok: false, error: 'exceeded max depth' });
    expect(parseJson('[1 '.repeat(2)).ok).toBe(false);
  });
});

describe('values', () => {
  it.each([
    ['{"Name":"dup","Port":1} trailing', { Name: 'dup', Port: 1 }],
    ['{"a":1,"a":2}', { a: 2 }],
    ['18446744073709551615', 18446744073709551615n],
    ['[9007199254740993, -9007199254740993]', [9007199254740993n, -9007199254740993n]],
    ['"\\ud800x"', '\ufffdx'],
    ['"\\ud83d\\ude00"', '😀'],
    ['12 34', 12],
    ['[0.5, 1.25]', [0.5, 1.25]],
    ['"10.0.0.1, 1.5"', '10.0.0.1, 1.5'],
  ])('%s', (text, value) => {
    expect(parseJson(text)).toEqual({ ok: true, value });
  });

  it('keeps the text of whole numbers that are written in another way', () => {
    for (const text of ['1e2', '1.0', '1e400', '9'.repeat(100)]) {
      const result = parseJson(text);
      expect(result.ok && result.value).toEqual(new JsonNumber(text));
    }
  });

  it('a member named __proto__ is a member like any other', () => {
    const result = parseJson('{"__proto__":{"polluted":1}}');
    expect(result.ok && Object.keys(result.value as object)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('the scanner reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const scanned = scanJson(text);
        expect('value' in scanned && JSON.parse(encodeJson(plain(scanned.value)))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('the scanner and JSON.parse agree on what is JSON', () => {
    const character = fc.constantFrom(...'{}[]",:\\u0123456789.eE+-truefalsn \n\té');
    fc.assert(
      fc.property(fc.array(character, { maxLength: 12 }), (characters) => {
        const text = characters.join('');
        const scanned = scanJson(text);
        if (isJson(text)) expect(scanned).toHaveProperty('value');
        else if (!isJsonWithTrail(text)) expect(scanned).toHaveProperty('error');
      }),
      { numRuns: 5000 },
    );
  });
});

describe('output', () => {
  it('escapes what HTML would read, writes bigints as numbers, leaves the rest raw', () => {
    expect(encodeJson({ a: '<&>\u2028é', b: 18446744073709551615n, c: '\u0000n1' })).toBe(
      '{"a":"\\u003c\\u0026\\u003e\\u2028é","b":18446744073709551615,"c":"\\u0000n1"}',
    );
  });
  it.each([1e21, 1e-7, 0.000001, 123456789.125, -0.5])('writes %d as Go does', (value) => {
    const text: Record<string, string> = { '1e+21': '1e+21', '1e-7': '1e-7', '0.000001': '0.000001' };
    expect(encodeJson(value)).toBe(text[String(value)] ?? String(value));
  });
  it('lays out with four blanks and keeps empty containers closed', () => {
    expect(indentJson('{"a":[1,{"b":"x,{}\\""}],"c":{},"d":[]}')).toBe(
      '{\n    "a": [\n        1,\n        {\n            "b": "x,{}\\""\n        }\n    ],\n    "c": {},\n    "d": []\n}\n',
    );
  });
  it('laid out, it is the same document', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(indentJson(JSON.stringify(value))).toBe(`${goIndent(value)}\n`);
      }),
    );
  });
});

const goIndent = (value: unknown): string => JSON.stringify(value, null, 4);

function plain(value: unknown): unknown {
  if (value instanceof JsonNumber) return value.valueOf();
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === 'object') {
    const copy: Record<string, unknown> = Object.create(null);
    for (const [key, member] of Object.entries(value)) copy[key] = plain(member);
    return copy;
  }
  return value;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A JSON value followed by something that a stream decoder never looks at. */
function isJsonWithTrail(text: string): boolean {
  for (let end = 1; end < text.length; end++) if (isJson(text.slice(0, end))) return true;
  return false;
}
