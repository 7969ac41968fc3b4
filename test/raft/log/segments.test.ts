/**
 * The log's files under a disk that loses power. Un-synced writes are kept or lost sector by sector, in any order; names appear with
 * their file or not at all. What opens afterwards must be the records of a prefix of the operations, with every commit that was
 * reported, and must go on from there.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SegmentFile, SegmentFolder } from '../../../src/raft/log/segments/files.ts';
import { SegmentStore } from '../../../src/raft/log/segments/segment-store.ts';
import type { StoreKey, StoreOperation } from '../../../src/raft/log/store.ts';
import { type Random, seededRandom } from '../../../src/std/random.ts';

const sectorBytes = 512;

class MemoryFile {
  readonly durable: Buffer;
  readonly cached: Buffer;
  /** Sectors in which the two may differ. */
  readonly #dirty = new Set<number>();

  constructor(sizeBytes: number) {
    this.durable = Buffer.alloc(sizeBytes);
    this.cached = Buffer.alloc(sizeBytes);
  }

  write(bytes: Uint8Array, at: number): void {
    this.cached.set(bytes, at);
    for (let sector = Math.floor(at / sectorBytes); sector * sectorBytes < at + bytes.length; sector++) {
      this.#dirty.add(sector);
    }
  }

  sync(): void {
    for (const sector of this.#dirty) this.#copy(this.cached, this.durable, sector, sectorBytes);
    this.#dirty.clear();
  }

  /** The power goes: each sector is the old or the new one, or begins as the new one. */
  lose(random: Random): void {
    for (const sector of this.#dirty) {
      if (random.next() < 0.5) this.#copy(this.cached, this.durable, sector, sectorBytes);
      else if (random.next() < 0.2) this.#copy(this.cached, this.durable, sector, random.int(1, sectorBytes));
      this.#copy(this.durable, this.cached, sector, sectorBytes);
    }
    this.#dirty.clear();
  }

  #copy(from: Buffer, to: Buffer, sector: number, bytes: number): void {
    from.copy(to, sector * sectorBytes, sector * sectorBytes, Math.min(sector * sectorBytes + bytes, from.length));
  }
}

class MemoryFolder implements SegmentFolder {
  readonly files = new Map<number, MemoryFile>();
  /** Syncs until one fails. */
  syncsLeft = Number.POSITIVE_INFINITY;

  list(): number[] {
    return [...this.files.keys()].sort((a, b) => a - b);
  }

  async create(number: number, sizeBytes: number): Promise<SegmentFile> {
    this.#maybeFail();
    this.files.set(number, new MemoryFile(sizeBytes));
    return this.open(number);
  }

  open(number: number): SegmentFile {
    const file = this.files.get(number)!;
    return {
      sizeBytes: file.durable.length,
      write: (bytes, at) => void file.write(bytes, at),
      sync: (mayHold) => {
        if (!mayHold) return Promise.resolve().then(() => this.#sync(file));
        this.#sync(file);
        return undefined;
      },
      read: (at, bytes) => Buffer.from(file.cached.subarray(at, at + bytes)),
      close: () => {},
    };
  }

  async remove(number: number): Promise<void> {
    this.files.delete(number);
  }

  losePower(random: Random): void {
    for (const file of this.files.values()) file.lose(random);
    this.syncsLeft = Number.POSITIVE_INFINITY;
  }

  #sync(file: MemoryFile): void {
    this.#maybeFail();
    file.sync();
  }

  #maybeFail(): void {
    if (this.syncsLeft-- <= 0) throw new Error('the power is gone');
  }
}

type Records = Map<StoreKey, string>;

const carryOut = (records: Records, operations: readonly StoreOperation[]): Records => {
  const after = new Map(records);
  for (const operation of operations) {
    if (operation.kind === 'put') after.set(operation.key, Buffer.from(operation.value).toString('base64'));
    else after.delete(operation.key);
  }
  return after;
};

const recordsOf = (store: SegmentStore, names: readonly string[]): Records => {
  const records: Records = new Map();
  const bounds = store.bounds();
  if (bounds !== undefined) {
    for (const [key, value] of store.range(bounds.first, bounds.last)) {
      records.set(key, Buffer.from(value).toString('base64'));
      expect(Buffer.from(store.get(key)!).equals(value)).toBe(true);
    }
  }
  for (const name of names) {
    const value = store.get(name);
    if (value !== undefined) records.set(name, Buffer.from(value).toString('base64'));
  }
  return records;
};

const sorted = (records: Records): [StoreKey, string][] =>
  [...records].sort(([a], [b]) =>
    typeof a === 'number' && typeof b === 'number' ? a - b : String(a) < String(b) ? -1 : 1,
  );

const names = ['hardState', 'prefix'];

/** Where the last byte is that is not 0; a loop, since files are mostly room. */
function lastWritten(bytes: Uint8Array): number {
  let at = bytes.length - 1;
  while (at >= 0 && bytes[at] === 0) at--;
  return at;
}

/** A commit as the log makes them: a value, a suffix removed, entries appended, a prefix removed. */
function randomCommit(random: Random, records: Records): StoreOperation[] {
  const operations: StoreOperation[] = [];
  const indexes = [...records.keys()].filter((key) => typeof key === 'number').sort((a, b) => a - b);
  let last = indexes.at(-1) ?? random.int(0, 10_000);
  const first = indexes[0] ?? last + 1;
  const bytes = (most: number): Buffer => Buffer.alloc(random.int(0, most), random.int(1, 255));
  if (random.next() < 0.3) operations.push({ kind: 'put', key: random.pick(names), value: bytes(60) });
  if (random.next() < 0.1) operations.push({ kind: 'remove', key: random.pick(names) });
  if (random.next() < 0.2) {
    for (let gone = random.int(0, Math.min(4, Math.max(0, last - first))); gone > 0; gone--) {
      operations.push({ kind: 'remove', key: last-- });
    }
  }
  const large = random.next() < 0.15;
  for (let more = random.int(0, large ? 8 : 5); more > 0; more--) {
    operations.push({ kind: 'put', key: ++last, value: bytes(large ? 180_000 : 700) });
  }
  if (random.next() < 0.1) {
    for (let key = first; key < last - random.int(0, 20); key++) operations.push({ kind: 'remove', key });
  }
  return operations;
}

describe('the segments of a log', () => {
  it('hold a prefix of what was written, and all that was reported, after any power loss', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const random = seededRandom(`segments-${seed}`);
        const folder = new MemoryFolder();
        let reported: Records = new Map();
        for (let life = 0; life < 4; life++) {
          const store = await SegmentStore.open(folder);
          expect(sorted(recordsOf(store, names))).toEqual(sorted(reported));
          let underWay: readonly StoreOperation[] = [];
          folder.syncsLeft = random.int(0, 30);
          try {
            for (let i = 0; i < 25; i++) {
              underWay = randomCommit(random, reported);
              await store.commit(underWay, random.next() < 0.5);
              reported = carryOut(reported, underWay);
              underWay = [];
            }
          } catch (error) {
            expect(String(error)).toContain('the power is gone');
          }
          folder.losePower(random);
          const after = await SegmentStore.open(folder);
          const found = JSON.stringify(sorted(recordsOf(after, names)));
          // Which prefix it is, is the disk's choice.
          const kept = Array.from({ length: underWay.length + 1 }, (_, n) => n).find(
            (n) => JSON.stringify(sorted(carryOut(reported, underWay.slice(0, n)))) === found,
          );
          expect(kept).toBeDefined();
          reported = carryOut(reported, underWay.slice(0, kept));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('stop at damage of what was reported, wherever a bit is flipped', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (seed, where) => {
        const random = seededRandom(`flip-${seed}`);
        const folder = new MemoryFolder();
        const store = await SegmentStore.open(folder);
        let records: Records = new Map();
        for (let i = 0; i < 20; i++) {
          const operations = randomCommit(random, records);
          await store.commit(operations);
          records = carryOut(records, operations);
        }
        // Closing calls the last commit durable.
        await store.close();
        const [file] = [...folder.files.values()].slice(where % folder.files.size);
        const end = lastWritten(file!.cached);
        if (end < 48) return;
        // The closing mark's own bytes are nobody's promise.
        const bit = where % ((end - 48) * 8);
        file!.cached[bit >> 3] = file!.cached[bit >> 3]! ^ (1 << (bit & 7));
        const opened = await SegmentStore.open(folder).catch((error: unknown) => String(error));
        // Padding is of no consequence; everything else must be noticed.
        if (typeof opened === 'string') expect(opened).toContain('the log is corrupt');
        else expect(sorted(recordsOf(opened, names))).toEqual(sorted(records));
      }),
      { numRuns: 150 },
    );
  });

  it('stop when the end of a file is missing', async () => {
    const folder = new MemoryFolder();
    const store = await SegmentStore.open(folder);
    await store.commit([{ kind: 'put', key: 1, value: Buffer.from('one') }]);
    await store.close();
    const whole = folder.files.get(1)!;
    const cut = new MemoryFile(4096);
    whole.durable.copy(cut.durable, 0, 0, 4096);
    cut.durable.copy(cut.cached);
    folder.files.set(1, cut);
    await expect(SegmentStore.open(folder)).rejects.toThrow('was made with');
  });

  // D12. The newest one is another matter: what was never there and what is lost look alike; then the state tells (logBehindState).
  it('stop when one before the last is missing', async () => {
    const folder = new MemoryFolder();
    const store = await SegmentStore.open(folder);
    const value = Buffer.alloc(100_000, 1);
    for (let key = 1; key <= 100; key++) await store.commit([{ kind: 'put', key, value }]);
    const numbers = [...folder.files.keys()].sort((a, b) => a - b);
    const written = numbers.filter((number) => folder.files.get(number)!.cached.some((byte) => byte !== 0));
    expect(written.length).toBeGreaterThan(3);
    for (const number of written.slice(1, -1)) {
      const kept = folder.files.get(number)!;
      folder.files.delete(number);
      await expect(SegmentStore.open(folder), `without segment ${number}`).rejects.toThrow('does not verify');
      folder.files.set(number, kept);
    }
    expect((await SegmentStore.open(folder)).bounds()).toEqual({ first: 1, last: 100 });
  });
  it('go when nothing in them counts, and only then', async () => {
    const folder = new MemoryFolder();
    const store = await SegmentStore.open(folder);
    const value = Buffer.alloc(100_000, 1);
    for (let key = 1; key <= 100; key++) await store.commit([{ kind: 'put', key, value }]);
    const before = folder.files.size;
    expect(before).toBeGreaterThan(3);
    await store.commit(Array.from({ length: 99 }, (_, i) => ({ kind: 'remove', key: i + 1 }) as const));
    expect(folder.files.size).toBeLessThan(before);
    const again = await SegmentStore.open(folder);
    expect(again.bounds()).toEqual({ first: 100, last: 100 });
    expect(Buffer.from(again.get(100)!).equals(value)).toBe(true);
  });
});
