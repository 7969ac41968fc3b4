/**
 * Faults that came after the first ones, and are drawn from a stream of their own, so that what older seeds draw for the first ones
 * stays what it was. A run in three has some of them.
 */
import type { Random } from '../../src/std/random.ts';

/** Mean milliseconds between two faults of a kind, where it occurs: drawn between these. */
const meanMs = {
  suspend: [1_500, 8_000],
  setClock: [500, 4_000],
  fullDisk: [3_000, 10_000],
  misdirectedWrite: [8_000, 20_000],
  stalePage: [4_000, 15_000],
  newerServer: [4_000, 12_000],
  bridge: [1_500, 8_000],
  ring: [1_500, 8_000],
  replaceDisk: [2_000, 10_000],
  corruptChunk: [500, 3_000],
  clog: [1_500, 8_000],
  shortenedLog: [4_000, 15_000],
} as const satisfies Record<string, readonly [number, number]>;

export type RarerFaultKind = keyof typeof meanMs;
export const rarerFaultKinds = Object.keys(meanMs) as RarerFaultKind[];

const share = 0.35;

export function drawRarerFaults(root: Random): Partial<Record<RarerFaultKind, number>> {
  const random = root.stream('rarer faults');
  const faults: Partial<Record<RarerFaultKind, number>> = {};
  if (!random.chance(share)) return faults;
  const density = random.pick([0.2, 0.5]);
  for (const kind of rarerFaultKinds) {
    const [min, max] = meanMs[kind];
    const mean = min + random.next() * (max - min);
    if (random.chance(density)) faults[kind] = mean;
  }
  return faults;
}
