/** What comes alone leaves at once; what has company leaves with it, at the end of the turn. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { Turn } from '../../src/api/turn.ts';

let turn: Turn;
let left: string[];
const leave = (name: string): void => turn.withOthers(() => void left.push(name));

beforeEach(() => {
  turn = new Turn();
  left = [];
});

it('one a turn leaves at once, every time', async () => {
  for (const name of ['a', 'b', 'c']) {
    leave(name);
    expect(left.at(-1)).toBe(name);
    await nextTurn();
  }
  expect(left).toEqual(['a', 'b', 'c']);
});

it('those after the first wait for the end of the turn, in their order', async () => {
  for (const name of ['a', 'b', 'c']) leave(name);
  expect(left).toEqual(['a']);
  await nextTurn();
  expect(left).toEqual(['a', 'b', 'c']);
});

it('after a turn with several the first waits too', async () => {
  for (const name of ['a', 'b']) leave(name);
  await nextTurn();
  leave('c');
  expect(left).toEqual(['a', 'b']);
  await nextTurn();
  expect(left).toEqual(['a', 'b', 'c']);
  leave('d');
  expect(left).toEqual(['a', 'b', 'c', 'd']);
});

it('what comes while others leave has a turn of its own', async () => {
  leave('a');
  turn.withOthers(() => {
    left.push('b');
    leave('c');
  });
  await nextTurn();
  await nextTurn();
  expect(left).toEqual(['a', 'b', 'c']);
});
