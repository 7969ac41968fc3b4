/** Which reads share a round of heartbeats: a clock by hand, and a core that only notes what it is asked. */
import { expect, it } from 'vitest';
import { ReadRounds } from '../../src/raft/read-rounds.ts';

class Hand {
  readonly asked: number[] = [];
  leads = true;
  #timers = new Set<() => void>();
  readonly rounds = new ReadRounds({
    clock: {
      monotonicMs: () => 0,
      wallMs: () => 0,
      after: (_, callback) => {
        this.#timers.add(callback);
        return () => this.#timers.delete(callback);
      },
    },
    input: (callback) => callback(),
    ask: (id) => this.leads && this.asked.push(id) > 0,
    refusal: () => new Error('not leader'),
  });

  join(reads: number): Promise<readonly number[]> {
    return Promise.all(Array.from({ length: reads }, () => this.rounds.join()));
  }
  patienceOver(): void {
    for (const callback of this.#timers) callback();
    this.#timers.clear();
  }
  get waits(): boolean {
    return this.#timers.size > 0;
  }
  confirm(index: number): void {
    this.rounds.take(this.asked.at(-1)!)!.resolve(index);
  }
}

it('reads that come while a round is under way share the next', async () => {
  const hand = new Hand();
  const first = hand.join(1);
  const second = hand.join(4);
  expect(hand.asked).toHaveLength(1);
  expect(hand.rounds.size).toBe(5);
  hand.confirm(5);
  expect(await first).toEqual([5]);
  expect(hand.asked).toHaveLength(2);
  hand.confirm(6);
  expect(await second).toEqual([6, 6, 6, 6]);
  expect(hand.rounds.size).toBe(0);
});

it('a single reader never waits, and few after many wait for others no longer than their patience', () => {
  const hand = new Hand();
  for (const _ of [1, 2, 3]) {
    hand.join(1);
    expect(hand.waits).toBe(false);
    hand.confirm(1);
  }
  expect(hand.asked).toHaveLength(3);
  hand.join(8);
  hand.confirm(1);
  hand.confirm(1);
  expect(hand.asked).toHaveLength(5);
  hand.join(3);
  expect(hand.asked).toHaveLength(5);
  expect(hand.waits).toBe(true);
  hand.join(1);
  expect(hand.asked).toHaveLength(6);
  expect(hand.waits).toBe(false);
  hand.confirm(1);
  hand.join(1);
  expect(hand.asked).toHaveLength(6);
  hand.patienceOver();
  expect(hand.asked).toHaveLength(7);
});

it('many readers part in two halves: when one is confirmed, the round of the other begins before it is answered', async () => {
  const hand = new Hand();
  const order: string[] = [];
  hand.join(1);
  const first = hand.join(9).then(() => order.push('first half answered'));
  hand.confirm(1);
  const second = hand.join(9).then(() => order.push('second half answered'));
  hand.confirm(2);
  order.push(`${hand.asked.length} rounds asked`);
  await first;
  hand.confirm(3);
  await second;
  expect(order).toEqual(['3 rounds asked', 'first half answered', 'second half answered']);
});

it('requests that arrive together part as well: the round begins with the first half of them', () => {
  const hand = new Hand();
  hand.join(1);
  hand.join(9);
  hand.confirm(1);
  hand.confirm(2);
  expect(hand.asked).toHaveLength(2);
  hand.join(10);
  expect(hand.asked).toHaveLength(3);
  expect(hand.rounds.size).toBe(10);
  hand.confirm(3);
  // Five were confirmed, five are under way.
  expect(hand.asked).toHaveLength(4);
  expect(hand.rounds.size).toBe(5);
});

it('each read of a round is refused when the server does not lead, and when it stops', async () => {
  const hand = new Hand();
  hand.leads = false;
  const refused = hand.join(2);
  await expect(refused).rejects.toThrow('not leader');
  hand.leads = true;
  const underWay = hand.join(2);
  const gathering = hand.join(2);
  hand.rounds.rejectAll(() => new Error('stopped'));
  await expect(underWay).rejects.toThrow('stopped');
  await expect(gathering).rejects.toThrow('stopped');
  expect(hand.rounds.take(hand.asked[0]!)).toBeUndefined();
});
