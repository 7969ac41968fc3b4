/** The state's files: what survives a close, a kill, a power loss; checkpoints made, sent in pieces, taken in, restored. */
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DurableState, encodeEnvelope, queries, stateHash } from '../../../src/fsm/index.ts';
import { type Random, seededRandom } from '../../../src/std/random.ts';
import { ManualClock } from '../support.ts';

let directory: string;
const opened: DurableState[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'heddle-state-'));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((state) => state.close()));
  rmSync(directory, { recursive: true, force: true });
});

async function open(name: string, bootId = 'boot-1'): Promise<DurableState> {
  const state = await DurableState.open(join(directory, name), { clock: new ManualClock() }, bootId);
  opened.push(state);
  return state;
}

const origin = { accessor: '', agent: 'test', address: '', call: 'test', timeMs: 0 };
function setOf(key: string, value: string): Uint8Array {
  const args = { Key: key, Value: Buffer.from(value), Flags: 0 };
  return encodeEnvelope({ name: 'kv.set', version: 1, origin, args });
}
const deletionOf = (random: Random): Uint8Array =>
  encodeEnvelope({ name: 'kv.delete', version: 1, origin, args: { Key: `k${random.int(1, 2_000)}` } });
function put(state: DurableState, key: string, value: string): void {
  state.apply([{ index: state.appliedIndex + 1, data: setOf(key, value) }]);
}
function wipe(path: string, at: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(4096), 0, 4096, at);
  closeSync(file);
}
function get(state: DurableState, key: string): string | undefined {
  const { value } = state.store.read(queries['kv.get'], { key });
  return value?.Value == null ? undefined : Buffer.from(value.Value).toString();
}
/** Forgets a state as a kill does: no sync, no mark. (LMDB lets one process open a file once, so it is closed.) */
async function kill(state: DurableState): Promise<void> {
  opened.splice(opened.indexOf(state), 1);
  state.store.close();
  await (state.store.storage as { close(): Promise<void> }).close();
}

it('is as it was after a close, under another boot too', async () => {
  const first = await open('a');
  put(first, 'k', '1');
  await first.close();
  const second = await open('a', 'boot-2');
  expect([second.opened, second.appliedIndex, get(second, 'k')]).toEqual(['as left', 1, '1']);
});

it('is as it was after a kill', async () => {
  const first = await open('a');
  put(first, 'k', '1');
  await kill(first);
  const second = await open('a');
  expect([second.opened, second.appliedIndex, get(second, 'k')]).toEqual(['as left', 1, '1']);
});

it('is rebuilt from the newest whole checkpoint after a power loss', async () => {
  const first = await open('a');
  put(first, 'k', '1');
  await first.checkpoint();
  put(first, 'k', '2');
  const newer = await first.checkpoint();
  put(first, 'k', '3');
  await kill(first);
  appendFileSync(join(directory, 'a/checkpoints', `${newer.id}.mdb`), 'torn');
  const second = await open('a', 'boot-2');
  expect([second.opened, second.appliedIndex, get(second, 'k')]).toEqual(['rebuilt from checkpoint', 1, '1']);
});

// D12. LMDB maps the file and trusts its length: what was cut off would kill the process with SIGBUS, and what is gone would be empty.
it.each([
  { how: 'lost', damage: (path: string) => rmSync(path) },
  { how: 'empty', damage: (path: string) => truncateSync(path, 0) },
  { how: 'cut off behind the first page', damage: (path: string) => truncateSync(path, 4096) },
  { how: 'cut off in the middle', damage: (path: string) => truncateSync(path, Math.floor(statSync(path).size / 2)) },
  { how: 'a byte short', damage: (path: string) => truncateSync(path, statSync(path).size - 1) },
  { how: 'without its first meta page', damage: (path: string) => wipe(path, 0) },
  { how: 'without its second meta page', damage: (path: string) => wipe(path, 4096) },
])('is rebuilt from a checkpoint where its file is $how', async ({ damage }) => {
  const first = await open('a');
  for (let i = 0; i < 50; i++) put(first, `k${i}`, 'x'.repeat(300));
  await first.checkpoint();
  put(first, 'later', '1');
  await kill(first);
  const rows = readdirSync(join(directory, 'a')).find((name) => name.startsWith('rows-') && name.endsWith('.mdb'))!;
  damage(join(directory, 'a', rows));
  const second = await open('a');
  expect([second.opened, second.appliedIndex, get(second, 'k49')?.length]).toEqual([
    'rebuilt from checkpoint',
    50,
    300,
  ]);
});

it('is trusted as it is after any history of writes and deletions that a kill ends', async () => {
  const random = seededRandom('rows');
  for (let round = 0; round < 30; round++) {
    const state = await open('a');
    if (round > 0) expect(state.opened).toBe('as left');
    for (let batch = random.int(0, 12); batch > 0; batch--) {
      state.apply(
        Array.from({ length: random.int(1, 30) }, (_, i) => ({
          index: state.appliedIndex + 1 + i,
          data: random.chance(0.8)
            ? setOf(`k${random.int(1, 2_000)}`, 'x'.repeat(random.int(0, 9_000)))
            : deletionOf(random),
        })),
      );
    }
    await kill(state);
  }
});

it('starts from nothing after a power loss without a checkpoint', async () => {
  const first = await open('a');
  put(first, 'k', '1');
  await kill(first);
  const second = await open('a', 'boot-2');
  expect([second.opened, second.appliedIndex]).toEqual(['rebuilt from nothing', 0]);
});

it('keeps two checkpoints, removes what crashes left', async () => {
  const state = await open('a');
  for (let i = 0; i < 4; i++) {
    put(state, 'k', String(i));
    await state.checkpoint();
  }
  await state.close();
  appendFileSync(join(directory, 'a/checkpoints/copy-x.part'), 'half');
  appendFileSync(join(directory, 'a/rows-99.mdb'), 'half');
  const again = await open('a');
  expect(readdirSync(join(directory, 'a/checkpoints'))).toHaveLength(4);
  expect(readdirSync(join(directory, 'a')).filter((name) => name.startsWith('rows-'))).not.toContain('rows-99.mdb');
  expect(again.latestCheckpoint()?.index).toBe(4);
});

it('sends a checkpoint in pieces, resumes a broken transfer, and becomes what was sent', async () => {
  const sender = await open('a');
  for (let i = 0; i < 500; i++) put(sender, `k/${i}`, 'v'.repeat(100));
  const file = await sender.checkpoint();
  const receiver = await open('b');
  put(receiver, 'old', '1');
  const waiting = receiver.store.blocking(queries['kv.get'], { key: 'old' }, { minIndex: 1, waitMs: 1e9 });

  const chunkBytes = 4_096;
  const first = await receiver.receiveCheckpoint(file);
  await first.write(await sender.readCheckpoint(file, 0, chunkBytes));
  await first.abort();
  const second = await receiver.receiveCheckpoint(file);
  expect(second.offset).toBe(chunkBytes);
  for (let at = second.offset; at < file.sizeBytes; at += chunkBytes) {
    await second.write(await sender.readCheckpoint(file, at, chunkBytes));
  }
  await second.finish();
  await receiver.restore(file);

  expect(receiver.appliedIndex).toBe(500);
  expect(get(receiver, 'old')).toBeUndefined();
  expect(stateHash(receiver.store.storage)).toBe(stateHash(sender.store.storage));
  expect(await waiting).toMatchObject({ notFound: true });
  put(receiver, 'new', '1');
  await kill(receiver);
  expect(get(await open('b'), 'new')).toBe('1');
});

it('refuses a checkpoint whose bytes are not those announced, and keeps its state', async () => {
  const sender = await open('a');
  put(sender, 'k', '1');
  const file = await sender.checkpoint();
  const receiver = await open('b');
  const taking = await receiver.receiveCheckpoint(file);
  const bytes = await sender.readCheckpoint(file, 0, file.sizeBytes);
  await taking.write(Uint8Array.from(bytes, (byte, i) => (i === 5_000 ? byte ^ 1 : byte)));
  await expect(taking.finish()).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' });
  const again = await receiver.receiveCheckpoint(file);
  expect(again.offset).toBe(0);
  await again.abort();
});

it('makes a checkpoint while writes go on', async () => {
  const state = await open('a');
  for (let i = 0; i < 2_000; i++) put(state, `k/${i}`, 'v'.repeat(200));
  const making = state.checkpoint();
  for (let i = 0; i < 500; i++) put(state, `k/${i}`, 'w');
  const file = await making;
  expect(file.index).toBeGreaterThanOrEqual(2_000);
  expect(state.appliedIndex).toBe(2_500);
});
