/** The measure of a held event loop, against a loop that is held. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sampleLoopDelay } from '../../src/agent/loop-delay.ts';
import type { Metrics } from '../../src/agent/metrics.ts';

let samples: [string, number][];
const metrics = { sample: (name: string, value: number) => void samples.push([name, value]) } as unknown as Metrics;

beforeEach(() => {
  samples = [];
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const turn = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The loop is held for so long, between turns in which its timer runs. */
async function hold(ms: number): Promise<void> {
  await turn(150);
  const end = performance.now() + ms;
  while (performance.now() < end);
  await turn(150);
  vi.advanceTimersByTime(5_000);
}

it('tells the longest time that the loop was held', async () => {
  const stop = sampleLoopDelay(metrics);
  await hold(200);
  stop();
  const [[name, heldMs]] = samples as [[string, number]];
  expect(name).toBe('runtime.event_loop_delay_ms');
  expect(heldMs).toBeGreaterThan(150);
  vi.advanceTimersByTime(10_000);
  expect(samples).toHaveLength(1);
});

it('looks less finely after a rest, and finely again after work', async () => {
  const shares = [0.01, 0.5, 0.5];
  const stop = sampleLoopDelay(metrics, () => shares.shift()!);
  vi.advanceTimersByTime(5_000);
  await hold(400);
  await hold(200);
  stop();
  const [, resting, working] = samples.map(([, heldMs]) => heldMs);
  expect(resting).toBeGreaterThan(250);
  expect(working).toBeGreaterThan(150);
});
