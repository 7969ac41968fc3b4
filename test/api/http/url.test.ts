/** Request targets: what cleaning and decoding promise whatever arrives. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanPath, escapePath, isPrintable, malformed, parseQuery, splitTarget } from '../../../src/api/http/url.ts';

const segment = fc.oneof(fc.constantFrom('', '.', '..', '...', 'a', 'v1'), fc.string({ maxLength: 4 }));
const path = fc.array(segment, { maxLength: 8 }).map((segments) => `/${segments.join('/')}`);

describe('paths', () => {
  it('a clean path is clean: no empty segment, no dots, and cleaning it again changes nothing', () => {
    fc.assert(
      fc.property(path, (dirty) => {
        const clean = cleanPath(dirty);
        expect(clean.startsWith('/')).toBe(true);
        expect(clean.slice(1).split('/').slice(0, -1)).not.toContain('');
        expect(clean.split('/').some((part) => part === '.' || part === '..')).toBe(false);
        expect(cleanPath(clean)).toBe(clean);
      }),
    );
  });

  it.each([
    ['/a//b', '/a/b'],
    ['/a/./b/', '/a/b/'],
    ['/a/../../b', '/b'],
    ['/..', '/'],
    ['/a/..', '/'],
    ['/a/b/.', '/a/b'],
  ])('%s -> %s', (dirty, clean) => {
    expect(cleanPath(dirty)).toBe(clean);
  });

  it('what is escaped is read back as it was', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }).map((text) => `/${text}`),
        (plain) => {
          expect(splitTarget(escapePath(plain))).toEqual({ path: plain, query: '' });
        },
      ),
    );
  });

  it('raw bytes beyond ASCII are read as UTF-8, an absolute target loses its host', () => {
    expect(splitTarget(Buffer.from('/é').toString('latin1'))).toEqual({ path: '/é', query: '' });
    expect(splitTarget('http://host:1/a?b=%zz')).toEqual({ path: '/a', query: 'b=%zz' });
    expect(splitTarget('http://host')).toEqual({ path: '/', query: '' });
    for (const target of ['*', 'a', '/%', '/%ff']) expect(splitTarget(target)).toBe(malformed);
  });

  it('printable means letters, marks, numbers, punctuation, symbols and the blank', () => {
    expect(['/a b', '/é', '/😀', '/日本'].every(isPrintable)).toBe(true);
    expect(['/\n', '/\u0000', '/\u00a0', '/\u2028', '/\u200b', '/\u007f'].some(isPrintable)).toBe(false);
  });
});

describe('queries', () => {
  it('never throw, and what was encoded is read back', () => {
    fc.assert(
      fc.property(fc.string(), (raw) => {
        const query = parseQuery(raw);
        if (query !== undefined) expect(parseQuery(query.encode())?.encode()).toBe(query.encode());
      }),
    );
    const pairs = fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string()));
    fc.assert(
      fc.property(pairs, (list) => {
        const query = parseQuery(new URLSearchParams(list).toString())!;
        for (const [name] of list) expect(query.all(name)).toEqual(list.filter(([n]) => n === name).map(([, v]) => v));
      }),
    );
  });

  it('a broken escape and a bare semicolon are refused; bytes that are no UTF-8 are not', () => {
    expect(parseQuery('a=%zz')).toBeUndefined();
    expect(parseQuery('a=%')).toBeUndefined();
    expect(parseQuery('a=1;b=2')).toBeUndefined();
    expect(parseQuery('a=%ff&b=%3B+x')?.all('a')).toEqual(['\ufffd']);
    expect(parseQuery('b=%3B+x')?.get('b')).toBe('; x');
  });
});
