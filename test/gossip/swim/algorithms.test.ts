/** The small algorithms of SWIM alone, each as a table or a few lines. */
import { describe, expect, it } from 'vitest';
import { Awareness } from '../../../src/gossip/swim/awareness.ts';
import { BroadcastQueue, transmitLimit } from '../../../src/gossip/swim/broadcast-queue.ts';
import { pushPullScale } from '../../../src/gossip/swim/exchange.ts';
import { MemberTable } from '../../../src/gossip/swim/member-table.ts';
import { Suspicion, suspicionBounds, suspicionTimeoutMs } from '../../../src/gossip/swim/suspicion.ts';
import { seededRandom } from '../../../src/std/random.ts';
import { peer } from '../support/swim-bench.ts';

const lan = { suspicionMult: 4, suspicionMaxTimeoutMult: 6, probeIntervalMs: 1_000 };

describe('suspicion', () => {
  it.each([
    { name: 'three members: nobody could confirm, 4 s flat', members: 3, min: 4_000, max: 24_000, wanted: 0 },
    { name: 'four members: two can', members: 4, min: 4_000, max: 24_000, wanted: 2 },
    { name: 'a hundred: twice as long', members: 100, min: 8_000, max: 48_000, wanted: 2 },
    { name: 'the logarithm is cut to three decimals', members: 50, min: 6_792, max: 40_752, wanted: 2 },
  ])('$name', ({ members, min, max, wanted }) => {
    const bounds = suspicionBounds(lan, members);
    expect(bounds).toEqual({ minMs: min, maxMs: max, confirmationsWanted: wanted });
  });

  it.each([
    [0, 24_000],
    [1, 11_381],
    [2, 4_000],
    [5, 4_000],
  ])('%i confirmations leave %i ms', (confirmations, expected) => {
    expect(suspicionTimeoutMs({ minMs: 4_000, maxMs: 24_000, confirmationsWanted: 2 }, confirmations)).toBe(expected);
  });

  it('an accuser counts once, and only as many as are wanted', () => {
    const suspicion = new Suspicion(1, 1, 'a', suspicionBounds(lan, 10), 0);
    expect(['a', 'b', 'b', 'c', 'd'].map((from) => suspicion.confirm(from))).toEqual([false, true, false, true, false]);
    expect([suspicion.confirmations, suspicion.deadlineMs]).toEqual([2, 4_000]);
  });
});

it('awareness stays within its bounds and scales', () => {
  const awareness = new Awareness(8);
  awareness.add(-3);
  expect([awareness.score, awareness.scale(500)]).toEqual([0, 500]);
  awareness.add(100);
  expect([awareness.score, awareness.scale(500)]).toEqual([7, 4_000]);
});

describe('broadcast queue', () => {
  const of = (length: number, fill = 0): Uint8Array => new Uint8Array(length).fill(fill);

  it.each([
    [1, 4],
    [9, 4],
    [10, 8],
    [99, 8],
    [100, 12],
  ])('%i members: each message is sent %i times', (members, limit) => {
    expect(transmitLimit(4, members)).toBe(limit);
    const done: string[] = [];
    const queue = new BroadcastQueue(
      4,
      () => members,
      (token) => done.push(token),
    );
    queue.add(of(10), { token: 'x' });
    for (let i = 0; i < limit; i++) {
      expect(done).toEqual([]);
      expect(queue.drain(100, 2).length).toBe(1);
    }
    expect([done, queue.length, queue.drain(100, 2).length]).toEqual([['x'], 0, 0]);
  });

  it('least told first, then the longest that fits, then the newest', () => {
    const queue = new BroadcastQueue(
      4,
      () => 10,
      () => {},
    );
    queue.add(of(20, 1));
    queue.drain(100, 2);
    queue.add(of(10, 2));
    queue.add(of(30, 3));
    queue.add(of(10, 4));
    expect(queue.drain(100, 2).map((message) => message[0])).toEqual([3, 4, 2, 1]);
    expect(queue.drain(24, 2).map((message) => message[0])).toEqual([4, 2]);
  });

  it('a newer message about a subject replaces the older, and says that it is done', () => {
    const done: string[] = [];
    const queue = new BroadcastQueue(
      4,
      () => 10,
      (token) => done.push(token),
    );
    queue.add(of(10, 1), { subject: 'n1', token: 'old' });
    queue.add(of(10, 2), { subject: 'n1' });
    queue.add(of(10, 3));
    expect(done).toEqual(['old']);
    expect(queue.drain(100, 2).map((message) => message[0])).toEqual([3, 2]);
  });

  describe('with an audience', () => {
    const at = (number: number) => ({ address: '10.0.0.1', port: number });
    const queueFor = (audience: () => number, retransmitMult = 4) =>
      new BroadcastQueue(
        retransmitMult,
        () => 5,
        () => {},
        audience,
      );
    const told = (queue: BroadcastQueue, to: number): number => queue.drain(100, 2, 100, at(to)).length;

    it('nobody is told twice before everybody was told once, and who told us not at all', () => {
      const queue = queueFor(() => 3);
      queue.add(of(10), { heardFrom: at(1) });
      expect([told(queue, 1), told(queue, 2), told(queue, 2), told(queue, 3)]).toEqual([0, 1, 0, 1]);
      // All three know: a second round makes up for what was lost.
      expect([told(queue, 1), told(queue, 1), told(queue, 2), queue.length]).toEqual([1, 0, 1, 0]);
    });

    it('what one knows already makes room for what is news', () => {
      const queue = queueFor(() => 3);
      queue.add(of(10, 1), { heardFrom: at(1) });
      queue.add(of(10, 2), { heardFrom: at(2) });
      expect(queue.drain(100, 2, 100, at(1)).map((message) => message[0])).toEqual([2]);
    });

    it('ends however few there are to tell, and also when they become fewer meanwhile', () => {
      for (const audience of [0, 1, 2]) {
        const queue = queueFor(() => audience);
        queue.add(of(10), { heardFrom: at(1) });
        for (let i = 0; queue.length > 0; i++) {
          expect(i).toBeLessThan(20);
          for (let to = 1; to <= audience || to === 1; to++) told(queue, to);
        }
      }
      let audience = 4;
      const queue = queueFor(() => audience);
      queue.add(of(10), { heardFrom: at(1) });
      told(queue, 2);
      audience = 1;
      for (let i = 0; i < 3; i++) told(queue, 2);
      expect(queue.length).toBe(0);
    });

    it('four are told at least, or all there are, whatever the profile', () => {
      const sent = (audience: number): number => {
        const queue = queueFor(() => audience, 2);
        queue.add(of(10));
        let count = 0;
        for (let to = 0; queue.length > 0; to++) count += told(queue, to % audience);
        return count;
      };
      expect([1, 3, 4, 9].map(sent)).toEqual([2, 3, 4, 4]);
    });
  });

  it('prune drops the most told', () => {
    const queue = new BroadcastQueue(
      4,
      () => 10,
      () => {},
    );
    queue.add(of(10, 1));
    queue.drain(100, 2);
    queue.add(of(10, 2));
    expect([queue.prune(1), queue.drain(100, 2)[0]![0]]).toEqual([1, 2]);
  });
});

describe('member table', () => {
  it('every member is probed once in each pass', () => {
    const table = new MemberTable(
      seededRandom('table'),
      ['a', 'b', 'c', 'd', 'e'].map((name) => peer(name)),
    );
    const pass = (): string[] =>
      Array.from(
        { length: 5 },
        () =>
          table.nextToProbe(
            () => true,
            () => {},
          )!.name,
      );
    expect(pass().sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(pass().sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('a pass without candidates ends', () => {
    const table = new MemberTable(seededRandom('table'), [peer('a')]);
    expect(
      table.nextToProbe(
        () => false,
        () => {},
      ),
    ).toBeUndefined();
  });

  it('picks are different, wanted, and as many as there are', () => {
    const table = new MemberTable(
      seededRandom('pick'),
      Array.from({ length: 40 }, (_, i) => peer(`m${i}`)),
    );
    const picked = table.pick(5, (one) => one.name !== 'm3');
    expect(new Set(picked.map((one) => one.name)).size).toBe(5);
    expect(table.pick(99, (one) => one.name !== 'm3').length).toBe(39);
  });
});

it.each([
  [2, 1],
  [32, 1],
  [33, 2],
  [64, 2],
  [65, 3],
])('with %i members push-pulls come every %i intervals', (members, scale) => {
  expect(pushPullScale(members)).toBe(scale);
});
