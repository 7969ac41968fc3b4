// Terms of a recovery: they keep the order of the logs, belong to no election, and leave room for the next ones.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { recoveryTerms } from '../../src/raft/recover-configuration.ts';

const band = 1_000_000_000;
/** A log: the term of its last election, and how many recoveries came after it without another. */
const log = fc
  .record({ epoch: fc.nat({ max: 3 }), term: fc.nat({ max: 100_000 }), recoveries: fc.nat({ max: 2 }) })
  .map(({ epoch, term, recoveries }) => {
    const elected = 2 * epoch * band + term;
    let last = elected;
    for (let i = 0; i < recoveries; i++) last = recoveryTerms(last).entry;
    return { elected, recoveries, last };
  });

it('the log of the newer election stays the newer one, and different logs never meet in a term', () => {
  fc.assert(
    fc.property(log, log, (a, b) => {
      const order = a.elected - b.elected || a.recoveries - b.recoveries;
      expect(Math.sign(recoveryTerms(a.last).entry - recoveryTerms(b.last).entry)).toBe(Math.sign(order));
    }),
  );
});

it('the entry is newer than the log, in a term of no election; elections go on in newer ones', () => {
  fc.assert(
    fc.property(log, ({ last }) => {
      const { entry, next } = recoveryTerms(last);
      expect(entry).toBeGreaterThan(last);
      expect(Math.floor(entry / band) % 2).toBe(1);
      expect(next).toBeGreaterThan(entry);
      expect(Math.floor(next / band) % 2).toBe(0);
    }),
  );
});
