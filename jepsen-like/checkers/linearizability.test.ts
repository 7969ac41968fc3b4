/** The checker on histories whose verdict is known by thought, good and bad; and on random ones, against every possible order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Operation, Outcome } from '../history.ts';
import { checkKey, checkLinearizability, registerModel } from './linearizability.ts';

type Row = readonly [start: number, end: number, op: string, input: unknown, output: unknown, outcome?: Outcome];

const history = (...rows: readonly Row[]): Operation[] =>
  rows.map(([startMs, endMs, op, input, output, outcome], client) => ({
    ...{ client, server: 0, op, key: 'k', input, output, outcome: outcome ?? 'ok', startMs, endMs },
  }));

const good: readonly { name: string; operations: Operation[] }[] = [
  { name: 'nothing', operations: [] },
  { name: 'a write, then a read of it', operations: history([0, 1, 'write', 1, null], [2, 3, 'read', null, 1]) },
  {
    name: 'a read beside a write sees either (new)',
    operations: history([0, 9, 'write', 1, null], [2, 3, 'read', null, 1]),
  },
  {
    name: 'a read beside a write sees either (old)',
    operations: history([0, 9, 'write', 1, null], [2, 3, 'read', null, null]),
  },
  {
    name: 'an unknown write takes effect much later',
    operations: history([0, 1, 'write', 1, null, 'unknown'], [5, 6, 'read', null, null], [7, 8, 'read', null, 1]),
  },
  {
    name: 'an unknown write never takes effect',
    operations: history([0, 1, 'write', 1, null, 'unknown'], [5, 6, 'read', null, null]),
  },
  {
    name: 'a compare-and-set that fails because of an unknown write',
    operations: history([0, 1, 'write', 1, null, 'unknown'], [2, 3, 'cas', { from: null, to: 2 }, false]),
  },
  {
    name: 'two writers and a reader that sees their order',
    operations: history(
      [0, 9, 'write', 1, null],
      [0, 9, 'write', 2, null],
      [3, 4, 'read', null, 2],
      [5, 6, 'read', null, 1],
    ),
  },
];

const bad: readonly { name: string; operations: Operation[] }[] = [
  {
    name: 'a stale read',
    operations: history([0, 1, 'write', 1, null], [2, 3, 'write', 2, null], [4, 5, 'read', null, 1]),
  },
  { name: 'a lost write', operations: history([0, 1, 'write', 1, null], [2, 3, 'read', null, null]) },
  {
    name: 'a read goes back',
    operations: history([0, 9, 'write', 1, null], [1, 2, 'read', null, 1], [3, 4, 'read', null, null]),
  },
  { name: 'a value nobody wrote', operations: history([0, 1, 'read', null, 7]) },
  {
    name: 'a definite failure that is seen',
    operations: history([0, 1, 'write', 1, null, 'fail'], [2, 3, 'read', null, 1]),
  },
  {
    name: 'two compare-and-sets win from one value',
    operations: history([0, 9, 'cas', { from: null, to: 1 }, true], [0, 9, 'cas', { from: null, to: 2 }, true]),
  },
  {
    name: 'an unknown write takes effect before it began',
    operations: history([0, 1, 'read', null, 1], [2, 3, 'write', 1, null, 'unknown']),
  },
  {
    name: 'two readers disagree on the order of two writes',
    operations: history(
      [0, 20, 'write', 1, null],
      [0, 20, 'write', 2, null],
      [1, 2, 'read', null, 1],
      [3, 4, 'read', null, 2],
      [5, 6, 'read', null, 1],
    ),
  },
];

describe('the checker', () => {
  it.each(good)('accepts: $name', ({ operations }) => {
    expect(checkKey('k', operations, registerModel).verdict).toBe('linearizable');
  });

  it.each(bad)('refuses: $name', ({ operations }) => {
    const result = checkLinearizability(operations);
    expect(result.valid).toBe(false);
    expect(result.violations.length).toBeGreaterThan(0);
  });

  it('says undecided, not pass, when the search is cut short', () => {
    const writes = Array.from({ length: 12 }, (_, i): Row => [0, 99, 'write', i, null]);
    const operations = history(...writes, [100, 101, 'read', null, 77]);
    expect(checkKey('k', operations, registerModel, { statesMax: 50 }).verdict).toBe('undecided');
    expect(checkLinearizability(operations, registerModel, { statesMax: 50 }).valid).toBe(false);
  });

  it('decides a history with many writes of unknown outcome, of which some must have happened (seed 148)', () => {
    const lost = Array.from({ length: 24 }, (_, i): Row => [10 + i, 11 + i, 'write', 100 + i, null, 'unknown']);
    const operations = history(
      [0, 1, 'write', 1, null],
      ...lost,
      // Something was in between, whatever it was.
      [50, 51, 'cas', { from: 1, to: 2 }, false],
      [52, 53, 'write', 3, null],
      [54, 55, 'cas', { from: 3, to: 4 }, null, 'unknown'],
      [60, 61, 'cas', { from: 4, to: 5 }, null, 'unknown'],
      [70, 71, 'read', null, 5],
      [72, 73, 'read', null, 5],
    );
    expect(checkKey('k', operations, registerModel, { statesMax: 500 }).verdict).toBe('linearizable');
    const stale = [...operations, ...history([80, 81, 'read', null, 3])];
    expect(checkKey('k', stale, registerModel, { statesMax: 500 }).verdict).toBe('violation');
  });

  it('keeps keys apart', () => {
    const a = history([0, 1, 'write', 1, null], [2, 3, 'read', null, 1]);
    const b = history([0, 1, 'read', null, null]).map((operation) => ({ ...operation, key: 'other' }));
    expect(checkLinearizability([...a, ...b]).valid).toBe(true);
  });

  it('agrees with trying every order, on small random histories', () => {
    const row = fc.record({
      start: fc.integer({ min: 0, max: 12 }),
      length: fc.integer({ min: 1, max: 8 }),
      kind: fc.constantFrom('write', 'read', 'cas'),
      value: fc.integer({ min: 0, max: 2 }),
      from: fc.constantFrom(null, 0, 1, 2),
      applied: fc.boolean(),
      unknown: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 6 }), (rows) => {
        const operations = history(
          ...rows.map(({ start, length, kind, value, from, applied, unknown }): Row => {
            const outcome = unknown && kind !== 'read' ? 'unknown' : 'ok';
            if (kind === 'cas') return [start, start + length, kind, { from, to: value }, applied, outcome];
            return [
              start,
              start + length,
              kind,
              kind === 'write' ? value : null,
              kind === 'read' ? from : null,
              outcome,
            ];
          }),
        );
        expect(checkKey('k', operations, registerModel).verdict === 'linearizable').toBe(everyOrder(operations, null));
      }),
      { numRuns: 1500 },
    );
  });
});

/** The slow definition: some operation that began before every other ended goes first; unknown ones may never go. */
function everyOrder(rest: readonly Operation[], state: unknown): boolean {
  if (rest.every(({ outcome }) => outcome === 'unknown')) return true;
  const firstEnd = Math.min(
    ...rest.map(({ outcome, endMs }) => (outcome === 'unknown' ? Number.POSITIVE_INFINITY : endMs)),
  );
  return rest.some((operation) => {
    if (operation.startMs > firstEnd) return false;
    const next = registerModel.step(state, operation);
    return (
      next !== undefined &&
      everyOrder(
        rest.filter((other) => other !== operation),
        next,
      )
    );
  });
}
