/** What is copied is what was: checkpoints and state files of random histories, secondary orders and counters included. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  DurableState,
  encodeEnvelope,
  isKnownRecord,
  MemoryStorage,
  StateFileReader,
  type StateRecord,
  type Storage,
  Store,
  stateHash,
  writeState,
} from '../../../src/fsm/index.ts';
import { anyCommand, encodeCommand } from '../random-commands.ts';
import { ManualClock } from '../support.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'heddle-round-trip-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const clock = new ManualClock();
const storeOn = (storage: Storage): Store => new Store(storage, { clock, defer: () => undefined });
const history = fc.array(anyCommand, { maxLength: 40 });
const origin = { accessor: '', agent: 'test', address: '', call: 'test', timeMs: 0 };

/** Every row of the living generation, without its letter. Nothing is swept here, and the newest letter is the living one. */
function rowsOf(store: Store): (readonly [string, string])[] {
  const letters = [...store.storage.range('')].map(({ key }) => key[0]!).filter((letter) => letter !== '!');
  const generation = letters.at(-1) ?? 'A';
  return [...store.storage.range(generation)].map(({ key, value }) => [
    key.slice(1),
    Buffer.from(value).toString('hex'),
  ]);
}

it('a state file brings every row into another store, in pieces of any size', () => {
  fc.assert(
    fc.property(history, fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 50 }), (commands, cut, batch) => {
      const before = storeOn(new MemoryStorage());
      for (const [i, command] of commands.entries()) before.apply([{ index: i + 1, data: encodeCommand(command) }]);
      const file = Buffer.concat([...writeState(before.storage, 200)]);

      const reader = new StateFileReader();
      const records: StateRecord[] = [];
      for (let at = 0; at < file.length; at += cut) {
        for (const [key, value] of reader.push(file.subarray(at, at + cut))) records.push([key, Buffer.from(value)]);
      }
      reader.end();
      expect(records.every(isKnownRecord)).toBe(true);

      const after = storeOn(new MemoryStorage());
      let index = 0;
      const apply = (name: string, args: unknown): void => {
        const [result] = after.apply([{ index: ++index, data: encodeEnvelope({ name, version: 1, origin, args }) }]);
        expect(result).toEqual({ ok: true, value: true });
      };
      apply('kv.set', { Key: 'to be replaced', Value: null, Flags: 0 });
      apply('snapshot.begin', { Id: 'x' });
      for (let at = 0; at < records.length; at += batch) {
        apply('snapshot.rows', { Id: 'x', Rows: records.slice(at, at + batch) });
      }
      const StateIndex = reader.header!.LastIndex;
      apply('snapshot.takeOver', { Id: 'x', Count: records.length, StateIndex });
      if (records.length > 0) expect(rowsOf(after)).toEqual(rowsOf(before));
      expect(after.view.appliedIndex).toBeGreaterThan(StateIndex);
    }),
    { numRuns: 60 },
  );
});

it('a restore that another one overtook, or that lost rows, takes nothing over', () => {
  const store = storeOn(new MemoryStorage());
  let index = 0;
  const apply = (name: string, args: unknown) =>
    store.apply([{ index: ++index, data: encodeEnvelope({ name, version: 1, origin, args }) }])[0];
  apply('kv.set', { Key: 'a', Value: null, Flags: 0 });
  apply('snapshot.begin', { Id: 'x' });
  apply('snapshot.begin', { Id: 'y' });
  expect(apply('snapshot.rows', { Id: 'x', Rows: [] })).toMatchObject({ ok: false, error: { code: 'conflict' } });
  expect(apply('snapshot.takeOver', { Id: 'y', Count: 1, StateIndex: 9 })).toMatchObject({
    ok: false,
    error: { message: '0 rows of 1 have come' },
  });
  expect(store.view.table('kv').get(['a'])).toBeDefined();
});

it('a checkpoint is the state that it was made of', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(history, async (commands) => {
      const from = await DurableState.open(join(directory, `from-${run}`), { clock });
      const to = await DurableState.open(join(directory, `to-${run++}`), { clock });
      from.apply(commands.map((command, i) => ({ index: i + 1, data: encodeCommand(command) })));
      const file = await from.checkpoint();
      const receiver = await to.receiveCheckpoint(file);
      await receiver.write(await from.readCheckpoint(file, 0, file.sizeBytes));
      await receiver.finish();
      await to.restore(file);
      expect(stateHash(to.store.storage)).toBe(stateHash(from.store.storage));
      await Promise.all([from.close(), to.close()]);
    }),
    { numRuns: 12 },
  );
});
