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
      alone: () => false,
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

it('goes on looking while nobody but the agent itself answers, and says once that it joined', async () => {
  const said: string[] = [];
  let others = 0;
  const later: (() => void)[] = [];
  let attempts = 0;
  const loop = new JoinLoop(
    { cluster: 'LAN', addresses: ['127.0.0.1', '127.0.0.2'], intervalMs: 30_000, attemptsMax: 0 },
    {
      clock: {
        monotonicMs: () => 0,
        wallMs: () => 0,
        after: (_ms, callback) => {
          later.push(callback);
          return () => undefined;
        },
      },
      alone: () => others === 0,
      join: async () => {
        attempts++;
        return 1 + others;
      },
      info: (message) => said.push(message),
      warn: (message) => said.push(message),
    },
  );
  await loop.run();
  expect([attempts, later.length]).toEqual([1, 1]);
  others = 1;
  later.pop()!();
  await new Promise(setImmediate);
  expect([attempts, later.length]).toEqual([2, 0]);
  expect(said).toEqual(['Join cluster completed. Synced with initial agents']);
});
