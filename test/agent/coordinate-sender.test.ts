// When an agent tells its coordinate, on a manual clock.
import { expect, it } from 'vitest';
import { CoordinateSender } from '../../src/agent/coordinate-sender.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

it.each([
  { members: 3, chance: 0, dueMs: 15_000 },
  { members: 3, chance: 0.5, dueMs: 22_500 },
  { members: 6_400, chance: 0, dueMs: 100_000 },
])('with $members members and a chance of $chance it sends every $dueMs ms, after a failure too', async (row) => {
  const clock = new VirtualClock();
  let sent = 0;
  const failures: unknown[] = [];
  const sender = new CoordinateSender({
    clock,
    chance: () => row.chance,
    members: () => row.members,
    coordinate: () => ({ Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 }),
    send: async () => {
      sent++;
      if (sent === 1) throw new Error('no server');
    },
    failed: (error) => failures.push(error),
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  clock.advance(row.dueMs - 1);
  expect(sent).toBe(0);
  clock.advance(1);
  await turn();
  expect([sent, failures.length]).toEqual([1, 1]);
  clock.advance(row.dueMs);
  await turn();
  expect(sent).toBe(2);
  sender.stop();
  expect(clock.pendingMs).toEqual([]);
});
