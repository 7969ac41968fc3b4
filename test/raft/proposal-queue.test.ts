/** When proposals go in: a conversation with the queue, whose event loop is played by hand. */
import { beforeEach, describe, expect, it } from 'vitest';
import { LogWriter } from '../../src/raft/log-writer.ts';
import { ProposalQueue } from '../../src/raft/proposal-queue.ts';

const deferred = { resolve: () => undefined, reject: () => undefined };
const bytes = (size: number) => ({ data: new Uint8Array(size), deferred });

let now: (() => void)[];
let later: (() => void)[];
let flushed: number[];
let idle: boolean;
let queue: ProposalQueue;
const run = (callbacks: (() => void)[]): void => {
  for (const callback of callbacks.splice(0)) callback();
};

beforeEach(() => {
  now = [];
  later = [];
  flushed = [];
  idle = true;
  queue = new ProposalQueue({
    later: (callback) => void later.push(callback),
    next: (callback) => void now.push(callback),
    isIdle: () => idle,
    flush: (proposals) => void flushed.push(proposals.length),
  });
});

describe('proposals', () => {
  it('that come one at a time go in at once', () => {
    for (let i = 0; i < 3; i++) {
      queue.add(bytes(10));
      expect(flushed.length).toBe(i);
      run(now);
    }
    expect(flushed).toEqual([1, 1, 1]);
    expect(later).toEqual([]);
  });

  it('of one stretch of code go in together, and those after them wait for the end of the turn', () => {
    for (let i = 0; i < 5; i++) queue.add(bytes(10));
    expect([queue.size, queue.bytes]).toEqual([5, 50]);
    run(now);
    expect([queue.size, queue.bytes]).toEqual([0, 0]);
    queue.add(bytes(10));
    queue.add(bytes(10));
    expect(now).toEqual([]);
    run(later);
    expect(flushed).toEqual([5, 2]);
  });

  it('that come one at a time again go in at once again, after one that waited', () => {
    for (let i = 0; i < 5; i++) queue.add(bytes(10));
    run(now);
    queue.add(bytes(10));
    run(later);
    queue.add(bytes(10));
    run(now);
    expect(flushed).toEqual([5, 1, 1]);
  });

  it('wait for the end of the turn while another is in the log', () => {
    idle = false;
    queue.add(bytes(10));
    expect(now).toEqual([]);
    run(later);
    expect(flushed).toEqual([1]);
  });

  it('that were taken away are not flushed', () => {
    queue.add(bytes(10));
    expect(queue.takeAll()).toHaveLength(1);
    run(now);
    expect(flushed).toEqual([]);
  });
});

describe('a write of the log', () => {
  const persist = (number: number) => ({ number, hardState: undefined, truncateFrom: undefined, entries: [] });

  function writerOf(written: number[][]): LogWriter {
    const log = {
      write: async (batch: readonly { readonly number: number }[]) => void written.push(batch.map((p) => p.number)),
    };
    return new LogWriter(log as never, {
      mayHold: () => false,
      persisted: () => undefined,
      failed: (reason) => {
        throw reason;
      },
      later: (callback) => void later.push(callback),
    });
  }

  it('that may wait for the end of the turn does, and goes earlier with one that may not, in order', async () => {
    const written: number[][] = [];
    const writer = writerOf(written);
    writer.write(persist(1), true);
    expect(written).toEqual([]);
    run(later);
    expect(written).toEqual([[1]]);
    await writer.stop();

    const second = writerOf(written);
    second.write(persist(2), true);
    second.write(persist(3));
    run(later);
    await second.stop();
    expect(written).toEqual([[1], [2, 3]]);
  });
});
