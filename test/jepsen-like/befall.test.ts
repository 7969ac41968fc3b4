// A nemesis that fails is told and made a failure of the run, which goes on.
import { expect, it } from 'vitest';
import type { Nemesis, NemesisContext } from '../../jepsen-like/nemeses/nemesis.ts';
import { befall } from '../../jepsen-like/real/befall.ts';

function struck(strike: Nemesis['strike']) {
  const complaints: string[] = [];
  const cluster = { complain: (text: string) => complaints.push(text) };
  const stage = { cluster, chance: () => 0 } as unknown as NemesisContext;
  const nemesis: Nemesis = { name: 'flood', does: 'wets', lastsMs: { least: 0, most: 0 }, strike };
  let nowMs = 0;
  return befall(nemesis, stage, { nowMs: () => ++nowMs }).then((fault) => ({ fault, complaints }));
}

it('tells what was done, for how long, and the proof', async () => {
  const found = await struck(async () => ({ what: 'server 1 is wet', heal: async () => '3 litres' }));
  const fault = { nemesis: 'flood', what: 'server 1 is wet', startMs: 1, endMs: 2, onHost: false, proof: '3 litres' };
  expect(found).toEqual({ fault, complaints: [] });
});

it.each([
  ['putting in', () => Promise.reject(new Error('no water')), /failed \(not put in\): Error: no water/],
  [
    'taking out',
    async () => ({ what: 'server 1 is wet', heal: () => Promise.reject(new Error('no pump')) }),
    /failed \(server 1 is wet\): Error: no pump/,
  ],
] as const)('a failure in %s is a complaint, and nothing that bit', async (_, strike, complaint) => {
  const { fault, complaints } = await struck(strike);
  expect(complaints).toEqual([expect.stringMatching(complaint)]);
  expect(fault.proof).toBeUndefined();
});
