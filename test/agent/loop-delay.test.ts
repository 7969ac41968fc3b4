/** The measure of a held event loop, against a loop that is held. */
import { afterEach, expect, it, vi } from 'vitest';
import { sampleLoopDelay } from '../../src/agent/loop-delay.ts';
import type { Metrics } from '../../src/agent/metrics.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('tells the longest time that the loop was held', async () => {
  const samples: [string, number][] = [];
  const metrics = { sample: (name: string, value: number) => void samples.push([name, value]) } as unknown as Metrics;
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const stop = sampleLoopDelay(metrics);
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));
  await turn();
  const end = performance.now() + 200;
  while (performance.now() < end);
  await turn();
  vi.advanceTimersByTime(5_000);
  stop();
  const [[name, heldMs]] = samples as [[string, number]];
  expect(name).toBe('runtime.event_loop_delay_ms');
  expect(heldMs).toBeGreaterThan(150);
  vi.advanceTimersByTime(10_000);
  expect(samples).toHaveLength(1);
});
