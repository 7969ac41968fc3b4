/** `retry_join`: how long it waits between attempts, and when it gives up. */
import { expect, it } from 'vitest';
import { JoinLoop, type JoinLoopOptions } from '../../../src/agent/membership/join-loop.ts';

/** Runs a loop that fails `failures` times; the pauses it asked for. */
async function pausesOf(
  options: Pick<JoinLoopOptions, 'intervalMs' | 'attemptsMax'>,
  failures: number,
): Promise<number[]> {
  const pauses: number[] = [];
  let left = failures;
  const loop = new JoinLoop(
    { cluster: 'LAN', addresses: ['127.0.0.1'], ...options },
    {
      clock: {
        monotonicMs: () => 0,
        wallMs: () => 0,
        after: (delayMs, callback) => {
          pauses.push(delayMs);
          queueMicrotask(callback);
          return () => undefined;
        },
      },
      join: async () => {
        if (left-- > 0) throw new Error('nobody is there');
        return 1;
      },
      info: () => undefined,
      warn: () => undefined,
    },
  );
  await loop.run();
  return pauses;
}

it('begins fast and slows down to the interval', async () => {
  expect(await pausesOf({ intervalMs: 30_000, attemptsMax: 0 }, 7)).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
  ]);
  expect(await pausesOf({ intervalMs: 500, attemptsMax: 0 }, 2)).toEqual([500, 500]);
});

it('keeps to the interval where the attempts are counted', async () => {
  expect(await pausesOf({ intervalMs: 30_000, attemptsMax: 3 }, 2)).toEqual([30_000, 30_000]);
  await expect(pausesOf({ intervalMs: 30_000, attemptsMax: 3 }, 3)).rejects.toThrow('max join LAN retry exhausted');
});
