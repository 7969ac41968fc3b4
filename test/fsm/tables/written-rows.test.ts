// Which written rows are remembered: the newest small ones.
import { expect, it } from 'vitest';
import { openKeyOf } from '../../../src/fsm/tables/row-key.ts';
import { WrittenRows } from '../../../src/fsm/tables/written-rows.ts';

const keyOf = (n: number) => openKeyOf('k', `key-${n}`);
const bytes = new Uint8Array(100);

it('the newest 1,024 rows are remembered', () => {
  const rows = new WrittenRows();
  for (let n = 0; n < 1_500; n++) rows.add(keyOf(n), bytes, { n });
  const kept = Array.from({ length: 1_500 }, (_, n) => n).filter((n) => rows.get(keyOf(n)) !== undefined);
  expect(kept).toEqual(Array.from({ length: 1_024 }, (_, i) => 476 + i));
});

it('a row that is written again is among the newest', () => {
  const rows = new WrittenRows();
  for (let n = 0; n < 1_500; n++) {
    rows.delete(keyOf(0));
    rows.add(keyOf(0), bytes, { writtenAt: n });
    rows.add(keyOf(n + 1), bytes, { n });
  }
  expect(rows.get(keyOf(0))?.row).toEqual({ writtenAt: 1_499 });
});

it('a large row is not remembered, nor what was there before it', () => {
  const rows = new WrittenRows();
  rows.add(keyOf(1), bytes, { small: true });
  rows.delete(keyOf(1));
  rows.add(keyOf(1), new Uint8Array(1_025), { large: true });
  expect(rows.get(keyOf(1))).toBeUndefined();
});
