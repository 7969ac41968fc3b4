/** The 512-bit digest against Node's own at every block boundary; the 256-bit one against RFC 7693's neighbours in the wild. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { blake2b } from '../../src/std/blake2b.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const reference = (bytes: Uint8Array): string => createHash('blake2b512').update(bytes).digest('hex');

it('equals the platform at and around block boundaries', () => {
  for (const length of [0, 1, 63, 127, 128, 129, 255, 256, 257, 1024]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) & 255);
    expect(hex(blake2b(bytes, 64)), `${length} bytes`).toBe(reference(bytes));
  }
});

it('equals the platform on anything', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      expect(hex(blake2b(bytes, 64))).toBe(reference(bytes));
    }),
  );
});

it('shorter digests are functions of their own, not cut from the long one', () => {
  // The well-known digest of nothing under BLAKE2b-256.
  expect(hex(blake2b(new Uint8Array(), 32))).toBe('0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8');
});
