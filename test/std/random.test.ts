import { expect, it } from 'vitest';
import { seededRandom } from '../../src/std/random.ts';

const draw = (seed: string, name: string): number[] => {
  const random = seededRandom(seed).stream(name);
  return Array.from({ length: 5 }, () => random.int(0, 1_000_000));
};

it('gives the same numbers for the same seed and stream, others for another', () => {
  expect(draw('7', 'election')).toEqual(draw('7', 'election'));
  expect(draw('7', 'election')).not.toEqual(draw('7', 'network'));
  expect(draw('7', 'election')).not.toEqual(draw('8', 'election'));
});

it('does not shift one stream when another is drawn from', () => {
  const root = seededRandom('7');
  root.stream('network').next();
  const election = root.stream('election');
  expect(Array.from({ length: 5 }, () => election.int(0, 1_000_000))).toEqual(draw('7', 'election'));
});

it('spreads evenly enough to pick from a hundred', () => {
  const random = seededRandom('spread');
  const counts = new Array<number>(100).fill(0);
  for (let i = 0; i < 100_000; i++) counts[random.int(0, 99)]!++;
  expect(Math.min(...counts)).toBeGreaterThan(800);
  expect(Math.max(...counts)).toBeLessThan(1_200);
});
