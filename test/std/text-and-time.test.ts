/** UTF-8 and instants against the platform, which pure rooms do not have. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatInstant } from '../../src/std/instant.ts';
import { utf8Bytes, utf8Length } from '../../src/std/utf8.ts';

it('UTF-8 equals the platform, lone surrogates included', () => {
  const anyUnits = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));
  fc.assert(
    fc.property(fc.oneof(anyUnits, fc.string({ unit: 'grapheme' })), (text) => {
      const expected = new TextEncoder().encode(text);
      expect(utf8Bytes(text)).toEqual(expected);
      expect(utf8Length(text)).toBe(expected.length);
    }),
  );
});

it('instants equal the platform, with Go’s way of dropping zeros', () => {
  const fromYear0To9999 = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });
  fc.assert(
    fc.property(fromYear0To9999, (ms) => {
      const expected = new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
      expect(formatInstant(ms)).toBe(
        expected.includes('.') ? expected : new Date(ms).toISOString().replace(/\.000Z$/, 'Z'),
      );
    }),
  );
  expect(formatInstant(1_795_417_477_053)).toBe('2026-11-23T07:04:37.053Z');
  expect(formatInstant(1_795_417_470_000)).toBe('2026-11-23T07:04:30Z');
});
