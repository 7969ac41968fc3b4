/** One suite for every implementation of Storage, and one property: LMDB and the simulated disk never disagree. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LmdbStorage } from '../../../src/fsm/tables/lmdb-storage.ts';
import { MemoryStorage } from '../../../src/fsm/tables/memory-storage.ts';
import type { Storage } from '../../../src/fsm/tables/storage.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'heddle-storage-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const openLmdb = (): Storage => new LmdbStorage(join(directory, 'rows.mdb'));
const implementations = [
  { name: 'lmdb', open: openLmdb },
  { name: 'memory', open: (): Storage => new MemoryStorage() },
];
const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();
const keys = (found: Iterable<{ key: string }>): string[] => [...found].map((entry) => entry.key);

describe.each(implementations)('$name', ({ open }) => {
  it('shows a transaction whole, and to itself before it ends', async () => {
    const storage = open();
    storage.transact(() => {
      storage.put('a', bytes('1'));
      expect(text(storage.get('a'))).toBe('1');
      expect(keys(storage.range(''))).toEqual(['a']);
    });
    expect(text(storage.get('a'))).toBe('1');
    await storage.close();
  });

  it('keeps nothing of a transaction that throws', async () => {
    const storage = open();
    storage.transact(() => storage.put('a', bytes('1')));
    expect(() =>
      storage.transact(() => {
        storage.put('a', bytes('2'));
        storage.put('b', bytes('2'));
        storage.remove('a');
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect([...storage.range('')].map((e) => [e.key, text(e.value)])).toEqual([['a', '1']]);
    await storage.close();
  });

  it('orders keys by their UTF-8 bytes, not by UTF-16 units', async () => {
    const storage = open();
    const names = ['a', 'a\x00', 'é', '\uffee', '\u{1f600}'];
    storage.transact(() => {
      for (const name of [...names].reverse()) storage.put(name, bytes(name));
    });
    expect(keys(storage.range(''))).toEqual(names);
    expect(keys(storage.range('', { reverse: true }))).toEqual([...names].reverse());
    expect(keys(storage.range('a'))).toEqual(['a', 'a\x00']);
    expect(keys(storage.range('', { after: 'a', limit: 2 }))).toEqual(['a\x00', 'é']);
    expect(keys(storage.range('', { after: 'é', reverse: true }))).toEqual(['a\x00', 'a']);
    await storage.close();
  });

  it('takes keys longer than LMDB does, in order, alone and in ranges', async () => {
    const storage = open();
    const head = 'x'.repeat(1_900);
    const names = [head.slice(0, -1), head, `${head}\x00`, `${head}1`, `${head}2`, `${head}${'y'.repeat(20_000)}`, 'y'];
    storage.transact(() => {
      for (const name of [...names].reverse()) storage.put(name, bytes(name.slice(-1)));
    });
    expect(keys(storage.range(''))).toEqual(names);
    expect(keys(storage.range('', { reverse: true }))).toEqual([...names].reverse());
    expect(keys(storage.range(`${head}1`))).toEqual([`${head}1`]);
    expect(keys(storage.range('', { after: `${head}1`, limit: 2 }))).toEqual(names.slice(4, 6));
    expect(keys(storage.range('', { after: `${head}1`, limit: 2, reverse: true }))).toEqual([`${head}\x00`, head]);
    expect(text(storage.get(`${head}2`))).toBe('2');
    storage.transact(() => storage.remove(`${head}2`));
    expect(storage.get(`${head}2`)).toBeUndefined();
    await storage.close();
  });
});

it('property: LMDB and the simulated disk hold the same after any transactions', async () => {
  const lmdb = openLmdb();
  const alphabet = fc.constantFrom('a', 'b', '\x00', 'é', '\u{1f600}', 'x'.repeat(1_899));
  const key = fc.array(alphabet, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
  const write = fc.record({ key, value: fc.option(fc.string({ maxLength: 8 })) });
  const transaction = fc.record({ writes: fc.array(write, { maxLength: 6 }), fails: fc.boolean() });
  const look = fc.record({ prefix: key, after: fc.option(key, { nil: undefined }), reverse: fc.boolean() });
  fc.assert(
    fc.property(fc.array(transaction, { maxLength: 8 }), fc.array(look, { maxLength: 6 }), (transactions, looks) => {
      const memory = new MemoryStorage();
      lmdb.transact(() => {
        for (const name of keys(lmdb.range(''))) lmdb.remove(name);
      });
      for (const { writes, fails } of transactions) {
        for (const storage of [lmdb, memory]) {
          try {
            storage.transact(() => {
              for (const { key, value } of writes) {
                if (value === null) storage.remove(key);
                else storage.put(key, bytes(value));
              }
              if (fails) throw new RangeError('planned');
            });
          } catch (error) {
            if (!(error instanceof RangeError)) throw error;
          }
        }
      }
      const dump = (storage: Storage, prefix: string, options = {}) =>
        [...storage.range(prefix, options)].map((e) => [e.key, text(e.value)]);
      expect(dump(lmdb, '')).toEqual(dump(memory, ''));
      for (const { prefix, ...options } of looks) {
        expect(dump(lmdb, prefix, options)).toEqual(dump(memory, prefix, options));
      }
    }),
    { numRuns: 60 },
  );
  await lmdb.close();
});
