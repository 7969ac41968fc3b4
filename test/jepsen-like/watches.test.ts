// The judge of watchers: a good life, and each thing that a watcher must never be told.
import { describe, expect, it } from 'vitest';
import {
  checkWatches,
  type KeyChange,
  type Version,
  type WatchAnswer,
  type WatchFindings,
} from '../../jepsen-like/checkers/watches.ts';

const bounds = { waitMs: 1_000, wakeMs: 500, settleMs: 1_000 };

const version = (key: string, index: number, value = `${key}${index}`): Version => ({ key, index, value });
const change = (key: string, replaces: number, startMs: number, endMs: number, more: Partial<KeyChange> = {}) =>
  ({ key, replaces, value: `${key}-new`, outcome: 'ok', startMs, endMs, ...more }) as const;

interface Asked {
  readonly client?: number;
  readonly asked?: number;
}
const answer = (index: number, versions: Version[], startMs: number, endMs: number, more: Asked = {}): WatchAnswer => ({
  ...{ client: 0, server: 0, asked: undefined, index, versions, startMs, endMs },
  ...more,
});
const judge = (answers: WatchAnswer[], changes: KeyChange[] = [], faults: { startMs: number; endMs: number }[] = []) =>
  checkWatches(answers, changes, faults, bounds);
const violationsOf = ({ violations }: WatchFindings): string => violations.join('\n');

describe('a watcher', () => {
  it('hears of each change, and measures how soon', () => {
    const found = judge(
      [
        answer(5, [version('a', 5)], 0, 2),
        answer(7, [version('a', 7)], 10, 35, { asked: 5 }),
        answer(8, [], 40, 55, { asked: 7 }),
        answer(8, [], 60, 1_060, { asked: 8 }),
      ],
      [change('a', 5, 20, 30), change('a', 7, 45, 50, { value: undefined })],
    );
    expect(found).toEqual({ violations: [], wakesMs: [5, 5] });
  });

  it.each<[string, WatchAnswer[], KeyChange[], RegExp]>([
    ['what is newer than the index that is named', [answer(5, [version('a', 6)], 0, 1)], [], /answered 5 shows a at 6/],
    [
      'two states under one index',
      [answer(5, [version('a', 5)], 0, 1), answer(5, [], 2, 3, { client: 1 })],
      [],
      /shows another state/,
    ],
    ['an index that goes back', [answer(5, [], 0, 1), answer(4, [], 2, 3)], [], /answered 4 after 5/],
    [
      'an index that promises what is not there',
      [answer(6, [version('a', 6)], 0, 1), answer(7, [version('a', 3)], 0, 1, { client: 1 })],
      [],
      /shows a at 3, which was at 6/,
    ],
    [
      'another value under the index of a version',
      [answer(6, [version('a', 6)], 0, 1), answer(7, [version('a', 6, 'other')], 0, 1, { client: 1 })],
      [],
      /with another value/,
    ],
    [
      'a version that was replaced before it asked',
      [answer(5, [version('a', 5)], 20, 21)],
      [change('a', 5, 10, 15)],
      /shows a at 5, which was replaced/,
    ],
    [
      'a deleted key',
      [answer(5, [version('a', 5)], 20, 21)],
      [change('a', 5, 10, 15, { value: undefined })],
      /shows a at 5, which was replaced/,
    ],
    [
      'a value that was refused',
      [answer(5, [version('a', 5, 'no')], 20, 21)],
      [change('a', 3, 10, 15, { value: 'no', outcome: 'fail' })],
      /as no, which was refused/,
    ],
    ['nothing, before its time is over', [answer(5, [], 0, 500, { asked: 5 })], [], /after 500 ms, with no news/],
    [
      'nothing, though something changed',
      [answer(5, [], 0, 1_000, { asked: 5 })],
      [change('a', 0, 10, 20)],
      /980 ms after a had changed/,
    ],
  ])('is never told %s', (_, answers, changes, expected) => {
    expect(violationsOf(judge(answers, changes))).toMatch(expected);
  });

  it('may be told late of what happened under a fault, and shortly after', () => {
    const late = [answer(5, [], 2_000, 3_000, { asked: 5 })];
    const changes = [change('a', 0, 2_010, 2_020)];
    expect(judge(late, changes, [{ startMs: 0, endMs: 1_500 }]).violations).toEqual([]);
    expect(violationsOf(judge(late, changes, [{ startMs: 0, endMs: 900 }]))).toMatch(/had changed/);
  });

  it('may see a change of unknown outcome, or not', () => {
    const unknown = [change('a', 5, 10, 15, { outcome: 'unknown', value: 'new' })];
    expect(judge([answer(5, [version('a', 5)], 20, 21)], unknown).violations).toEqual([]);
    expect(judge([answer(6, [version('a', 6, 'new')], 20, 21)], unknown).violations).toEqual([]);
  });
});
