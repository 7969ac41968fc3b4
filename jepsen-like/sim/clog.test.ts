/** A clogged path lets through only so much, in order; what its queue has no room for is lost; and afterwards it is a path again. */
import { expect, it } from 'vitest';
import type { Message } from '../../src/raft/index.ts';
import { seededRandom } from '../../src/std/random.ts';
import { SimNetwork } from '../../src/testing/sim/network.ts';
import { VirtualTime } from '../../src/testing/sim/virtual-time.ts';

it('carries its bytes a millisecond, queues what waits, and drops what finds the queue full', () => {
  const random = seededRandom('clog');
  const time = new VirtualTime(random);
  const arrivals: { readonly number: number; readonly atMs: number }[] = [];
  const marks: string[] = [];
  const weather = { lossRate: 0, duplicateRate: 0, lateRate: 0, delayMsMin: 1, delayMsMean: 0 };
  const network = new SimNetwork(weather, random, time, {
    sent: () => undefined,
    arrive: (_to, handle) =>
      handle({
        messages: ([message]) => void arrivals.push({ number: message!.term, atMs: Math.round(time.nowMs) }),
        peerBroken: () => undefined,
        checkpointOffered: async () => undefined,
      }),
    mark: (name) => void marks.push(name),
  });
  const { send } = network.transport(
    () => true,
    () => undefined,
  );
  const append = (number: number): Message => ({
    ...{ kind: 'append', from: 'a', to: 'b', term: number, prevIndex: 0, prevTerm: 0, commitIndex: 0, sentMs: 0 },
    entries: [{ kind: 'command', index: 1, term: number, data: new Uint8Array(930) }],
  });
  // A thousand bytes each: a tenth of a second each, and three of them fill the queue.
  network.clog('a', 'b', { bytesPerMs: 10, queueBytesMax: 2_500 });
  for (let number = 1; number <= 6; number++) send(append(number));
  send({ ...append(7), from: 'b', to: 'a' });
  while (time.runNext(1_000)) {}
  expect(arrivals).toEqual([
    { number: 7, atMs: 1 },
    { number: 1, atMs: 101 },
    { number: 2, atMs: 201 },
    { number: 3, atMs: 301 },
  ]);
  expect(marks).toEqual([
    ...['network: queued', 'network: queued'],
    ...['network: queue full', 'network: queue full', 'network: queue full'],
  ]);
  network.unclog('a', 'b');
  const { nowMs } = time;
  send(append(8));
  while (time.runNext(2_000)) {}
  expect(arrivals.at(-1)).toEqual({ number: 8, atMs: Math.round(nowMs + 1) });
});
