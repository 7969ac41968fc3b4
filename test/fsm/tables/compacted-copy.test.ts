/**
 * A state that begins as a compacted copy (a checkpoint that was installed, or rebuilt from) takes a large transaction first: a server
 * that lost its disk catches up with thousands of entries at once. LMDB's own list of free pages is empty then, and beginning it with
 * a long record ended the process. Without the small first commit of `LmdbStorage` this test ends its worker.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LmdbStorage } from '../../../src/fsm/tables/lmdb-storage.ts';

const rows = 10_000;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-copy-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('takes a large first transaction, and holds what the copied one held', async () => {
  const first = new LmdbStorage(join(folder, 'first.mdb'));
  for (let from = 0; from < rows; from += 500) {
    first.transact(() => {
      for (let i = from; i < from + 500; i++) first.put(`k${i}`, Buffer.alloc(200, 1));
    });
  }
  await first.copyTo(join(folder, 'copy.mdb'));
  await first.close();
  const copy = new LmdbStorage(join(folder, 'copy.mdb'));
  expect([...copy.range('')]).toHaveLength(rows);
  copy.transact(() => {
    for (let i = 0; i < rows; i += 7) copy.put(`k${i}`, Buffer.alloc(210, 2));
  });
  expect(copy.get('k7')).toHaveLength(210);
  expect(copy.get('k8')).toHaveLength(200);
  expect([...copy.range('')]).toHaveLength(rows);
  await copy.close();
});
