import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatDuration, hour, millisecond, minute, parseDuration, second } from '../../src/std/duration.ts';

it.each([
  ['1h30m', hour + 30 * minute],
  ['250ms', 250 * millisecond],
  ['1.5s', 1.5 * second],
  ['-5s', -5 * second],
  ['0', 0],
])('reads %s', (text, ns) => {
  expect(parseDuration(text)).toEqual({ ok: true, value: ns });
});

it.each([
  ['', 'time: invalid duration ""'],
  ['10', 'time: missing unit in duration "10"'],
  ['bad', 'time: invalid duration "bad"'],
  ['3d', 'time: unknown unit "d" in duration "3d"'],
])('refuses %j with the text of Go', (text, error) => {
  expect(parseDuration(text)).toEqual({ ok: false, error });
});

it('prints what it reads, for every whole number of milliseconds', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) => {
      expect(parseDuration(formatDuration(ms * millisecond))).toEqual({ ok: true, value: ms * millisecond });
    }),
  );
});
