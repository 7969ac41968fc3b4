/** NumberMap does what a Map does, whatever the keys and however they collide. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumberMap } from '../../src/std/number-map.ts';

/** Few homes, so that runs of entries meet and wrap round; and neighbours, as request numbers are. */
const key = fc.oneof(
  fc.integer({ min: 0, max: 90 }),
  fc.integer({ min: 0, max: 20 }).map((n) => n * 64 + 60),
  fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER),
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), key }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const), key }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'clear' as const, key: 0 }) },
);

describe('a map of numbers', () => {
  it('does what a Map does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const map = new NumberMap<string>();
        const model = new Map<number, string>();
        steps.forEach((action, i) => {
          if (action.kind === 'set') {
            map.set(action.key, `value ${i}`);
            model.set(action.key, `value ${i}`);
          } else if (action.kind === 'take') {
            expect(map.take(action.key)).toBe(model.get(action.key));
            model.delete(action.key);
          } else {
            map.clear();
            model.clear();
          }
          expect(map.size).toBe(model.size);
        });
        for (const [known, value] of model) expect(map.get(known)).toBe(value);
        const sorted = [...model].sort(([a], [b]) => a - b).map(([, value]) => value);
        expect(map.values()).toEqual(sorted);
      }),
    );
  });

  it('holds many, and goes on after they left', () => {
    const map = new NumberMap<number>();
    for (let n = 0; n < 10_000; n++) map.set(n, n);
    expect(map.size).toBe(10_000);
    for (let n = 9_999; n >= 0; n--) expect(map.take(n)).toBe(n);
    map.set(3, 4);
    expect(map.values()).toEqual([4]);
    expect(map.get(67)).toBeUndefined();
  });

  it('takes no key that it could mistake', () => {
    const map = new NumberMap<number>();
    expect(() => map.set(-1, 0)).toThrow('safe integer');
    expect(() => map.set(1.5, 0)).toThrow('safe integer');
    expect(map.get(-1)).toBeUndefined();
    expect(map.take(1.5)).toBeUndefined();
  });
});
