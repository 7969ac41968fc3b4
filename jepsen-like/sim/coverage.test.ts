/** A campaign that did not see what it should have says so. */
import { expect, it } from 'vitest';
import { Coverage } from './coverage.ts';
import { expectedShares } from './expected-shares.ts';
import { rarerFaultKinds } from './rarer-kinds.ts';
import { faultKinds } from './swarm.ts';

const marks = (...names: string[]): Map<string, number> => new Map(names.map((name) => [name, 3]));

it('requires a mark once enough runs should have reached it', () => {
  const coverage = new Coverage({ often: 0.5, seldom: 0.05 });
  for (let i = 0; i < 27; i++) coverage.add(marks());
  expect(coverage.missed()).toEqual([]);
  expect(coverage.notRequired()).toEqual(['often', 'seldom']);
  coverage.add(marks());
  expect(coverage.missed()).toEqual(['often']);
  expect(coverage.notRequired()).toEqual(['seldom']);
  for (let i = 28; i < 280; i++) coverage.add(marks());
  expect(coverage.missed()).toEqual(['often', 'seldom']);
});

it('is content with a mark that was reached once', () => {
  const coverage = new Coverage({ often: 0.5 });
  coverage.add(marks('often', 'other'));
  for (let i = 0; i < 99; i++) coverage.add(marks());
  expect(coverage.missed()).toEqual([]);
  expect(coverage.lines()[0]).toMatch(/often +3 {2}in +1\.0% of the runs/);
});

it('has an expectation for every kind of fault', () => {
  const expected = Object.keys(expectedShares);
  for (const kind of [...faultKinds, ...rarerFaultKinds]) expect(expected).toContain(`fault: ${kind}`);
});
