/** A failing run is made smaller, and told so that a person can follow it. Twelve runs are enough for a taste. */
import { expect, it } from 'vitest';
import { ruleMutations } from '../mutations/rules.ts';
import { shrink } from './shrink.ts';
import { report } from './timeline.ts';
import { World } from './world.ts';

it('a failing run loses the faults that do not matter, and keeps what broke', async () => {
  const mutation = ruleMutations.find(({ name }) => name === 'a leader always believes in its lease')!;
  const unsafeMs = 6_000;
  const failing = await new World({ seed: '14', unsafeMs, mutation }).run();
  expect(failing.violation?.invariant).toBe('read-freshness');
  const small = await shrink(failing, unsafeMs, mutation, 12);
  expect(small.violation?.invariant).toBe('read-freshness');
  expect(small.faults.length).toBeLessThan(failing.faults.length);

  const lines = report(small);
  const text = lines.join('\n');
  // What broke, which fault hit whom, who led when, and how the servers stood.
  expect(lines[1]).toMatch(/^seed 14: read-freshness: s\d serves a lease read at \d+, \d+ was acknowledged before$/);
  expect(text).toMatch(/ s\d {3}is leader in term \d/);
  expect(text).toMatch(/server +role +term +log +durable +commit +applied +lease +voters/);
  expect(text).toMatch(/ s\d +leader +\d+ +\d+\.\.\d+ +\d+ +\d+ +\d+ +held +s1 s2 s3/);
  expect(text).toMatch(/ c\d+ +at s\d: leaseRead k1 -> /);
  expect(text).not.toMatch(/ heartbeat -> /);
  expect(lines.length).toBeLessThan(160);
}, 120_000);
