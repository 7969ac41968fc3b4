/** Who waits for which entry: each hears once, of its own entry. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PendingProposals } from '../../src/raft/pending.ts';

type Outcome = { readonly index: number; readonly how: 'resolved' | 'rejected' };

function waiting(): {
  readonly pending: PendingProposals;
  readonly outcomes: Outcome[];
  add(index: number, term: number): void;
} {
  const pending = new PendingProposals();
  const outcomes: Outcome[] = [];
  return {
    pending,
    outcomes,
    add: (index, term) =>
      pending.add(index, term, {
        resolve: () => void outcomes.push({ index, how: 'resolved' }),
        reject: () => void outcomes.push({ index, how: 'rejected' }),
      }),
  };
}

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('add' as const), gap: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('apply' as const), entries: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'burst' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'lost' as const }) },
);

describe('proposals that wait', () => {
  it('each hear once, in the order of the log, of their own entry', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { pending, outcomes, add } = waiting();
        const model = new Map<number, number>();
        const expected: Outcome[] = [];
        let last = 0;
        let applied = 0;
        let term = 1;
        const propose = (gap: number): void => {
          last += 1 + gap;
          add(last, term);
          model.set(last, term);
        };
        const apply = (appliedTerm: number): void => {
          applied++;
          pending.applied(applied, appliedTerm, undefined);
          const own = model.get(applied);
          if (own !== undefined) expected.push({ index: applied, how: own === appliedTerm ? 'resolved' : 'rejected' });
          model.delete(applied);
        };
        for (const action of steps) {
          if (action.kind === 'add') propose(action.gap);
          else if (action.kind === 'burst') for (let i = 0; i < 700; i++) propose(0);
          else if (action.kind === 'apply') for (let i = 0; i < action.entries && applied < last; i++) apply(term);
          else {
            pending.rejectAll(() => new Error('lost'));
            for (const index of model.keys()) expected.push({ index, how: 'rejected' });
            model.clear();
            last = applied; // another leader's entries take the places
            term++;
          }
          expect(pending.size).toBe(model.size);
        }
        while (applied < last) apply(term);
        expect(outcomes).toEqual(expected);
        expect(pending.size).toBe(0);
      }),
    );
  });

  it('are told when the entry at their index is another one', () => {
    const { pending, outcomes, add } = waiting();
    add(7, 2);
    pending.applied(7, 3, undefined);
    expect(outcomes).toEqual([{ index: 7, how: 'rejected' }]);
  });
});
