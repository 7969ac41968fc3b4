/** The tail: which entries stay in memory. What nobody will ask for leaves at once, what a follower lacks stays within a budget. */
import { describe, expect, it } from 'vitest';
import { LogView } from '../../../src/raft/core/log-view.ts';
import type { Entry } from '../../../src/raft/core/types.ts';

const entry = (index: number, bytes = 100): Entry => ({
  kind: 'command',
  index,
  term: 1,
  data: new Uint8Array(bytes),
});

function viewOf(entries: number, tailBytesMax: number, bytes?: number): LogView {
  const view = new LogView({ index: 0, term: 0 }, [], 0, tailBytesMax);
  for (let index = 1; index <= entries; index++) view.append(entry(index, bytes));
  return view;
}

const firstInMemory = (view: LogView): number => {
  let index = 1;
  while (view.slice(index, 1, 0) === undefined) index++;
  return index;
};

describe('the tail of the log in memory', () => {
  it('loses what is durable, applied, and wanted by nobody, however large the budget', () => {
    const view = viewOf(10, 1_000_000);
    view.evict(7, 11);
    expect(firstInMemory(view)).toBe(8);
  });

  it('keeps what a follower has not been sent yet', () => {
    const view = viewOf(10, 1_000_000);
    view.evict(10, 4);
    expect(firstInMemory(view)).toBe(4);
  });

  it('keeps no more for a follower than the budget, and counts what an entry costs beside its payload', () => {
    const view = viewOf(1_000, 100_000, 0);
    view.evict(1_000, 1);
    // Without a payload an entry still takes some hundred bytes.
    expect(firstInMemory(view)).toBeGreaterThan(600);
    expect(firstInMemory(view)).toBeLessThan(1_000);
  });

  it('never loses what is not durable or not applied yet', () => {
    const view = viewOf(1_000, 0);
    view.evict(500, 1_001);
    expect(firstInMemory(view)).toBe(501);
    expect(view.slice(501, 1_000, 1_000_000)).toHaveLength(500);
  });

  it('goes on after it was emptied', () => {
    const view = viewOf(3, 0);
    view.evict(3, 4);
    view.append(entry(4));
    expect(view.slice(4, 9, 1_000)?.map(({ index }) => index)).toEqual([4]);
    expect(view.slice(3, 9, 1_000)).toBeUndefined();
    view.truncate(4);
    view.append(entry(4));
    expect(view.lastIndex).toBe(4);
    expect(view.slice(4, 9, 1_000)).toHaveLength(1);
  });
});
