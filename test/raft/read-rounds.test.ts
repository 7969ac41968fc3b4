/** Which reads share a round of heartbeats: a clock by hand, turns by hand, and a core that only notes what it is asked. */
import { expect, it } from 'vitest';
import { ReadRounds } from '../../src/raft/read-rounds.ts';

class Hand {
  readonly asked: number[] = [];
  leads = true;
  #turns: (() => void)[] = [];
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
    later: (callback) => this.#turns.push(callback),
    input: (callback) => callback(),
    ask: (id) => this.leads && this.asked.push(id) > 0,
    refusal: () => new Error('not leader'),
  });

  join(reads: number): Promise<readonly number[]> {
    return Promise.all(Array.from({ length: reads }, () => this.rounds.join()));
  }
  turn(): void {
    for (const callback of this.#turns.splice(0)) callback();
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

it('the reads of a turn share a round, and those that come while it is under way the next', async () => {
  const hand = new Hand();
  const first = hand.join(3);
  hand.turn();
  const second = hand.join(4);
  hand.turn();
  expect(hand.asked).toHaveLength(1);
  expect(hand.rounds.size).toBe(7);
  hand.confirm(5);
  expect(await first).toEqual([5, 5, 5]);
  hand.turn();
  expect(hand.asked).toHaveLength(2);
  hand.confirm(6);
  expect(await second).toEqual([6, 6, 6, 6]);
  expect(hand.rounds.size).toBe(0);
});

it('a single reader never waits, and few after many wait for others no longer than their patience', () => {
  const hand = new Hand();
  for (const _ of [1, 2, 3]) {
    hand.join(1);
    hand.turn();
    expect(hand.waits).toBe(false);
    hand.confirm(1);
  }
  hand.join(8);
  hand.turn();
  hand.confirm(1);
  hand.join(7);
  hand.turn();
  expect(hand.asked).toHaveLength(4);
  hand.join(1);
  hand.turn();
  expect(hand.asked).toHaveLength(5);
  expect(hand.waits).toBe(false);
  hand.confirm(1);
  hand.join(2);
  hand.turn();
  expect(hand.asked).toHaveLength(5);
  hand.patienceOver();
  expect(hand.asked).toHaveLength(6);
});

it('each read of a round is refused when the server does not lead, and when it stops', async () => {
  const hand = new Hand();
  hand.leads = false;
  const refused = hand.join(2);
  hand.turn();
  await expect(refused).rejects.toThrow('not leader');
  hand.leads = true;
  const underWay = hand.join(2);
  hand.turn();
  const gathering = hand.join(2);
  hand.rounds.rejectAll(() => new Error('stopped'));
  await expect(underWay).rejects.toThrow('stopped');
  await expect(gathering).rejects.toThrow('stopped');
  expect(hand.rounds.take(hand.asked[0]!)).toBeUndefined();
});
