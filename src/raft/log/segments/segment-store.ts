/**
 * The store over append-only files. A commit is one write behind the last and one fdatasync, into room that is already allotted:
 * the least that a disk can be asked for. Where entries are is kept in memory, the entries are not.
 *
 * Segments grow to `segmentBytesMax`; the next is made before it is needed. Each begins with all named values, so that an old
 * one can go as soon as no entry in it counts.
 *
 * A commit leaves a prefix when it is cut off, as `LogStore` allows: its blocks are on the disk in order, or are not read.
 */
import type { LogStore, StoreKey, StoreOperation } from '../store.ts';
import {
  type BlockOperation,
  type BlockStep,
  blockBytes,
  blockHeaderBytes,
  encodeBlock,
  operationBytes,
} from './blocks.ts';
import type { SegmentFile, SegmentFolder } from './files.ts';
import { EntryPlaces } from './places.ts';
import { type OpenSegment, recoverSegments } from './recover-segments.ts';

/** A small log is a small file, and a server's first start waits for the zeros of the first segment. */
const firstSegmentBytes = 1024 * 1024;
const segmentBytesMax = 16 * 1024 * 1024;
/** Operations of one block, bytes; a larger one has a block to itself. */
const blockOperationsMax = 256 * 1024;
/** Bytes read at once where many entries are asked for. */
const readBytesMax = 256 * 1024;
/** A commit that no later one has called durable is, by a mark after this pause. */
const markAfterMs = 100;

/** Where the next block goes. */
interface End {
  segment: OpenSegment;
  at: number;
  /** Of the newest block written. */
  sequence: number;
  /** Of the newest block that is certainly on the disk. */
  durable: number;
}

/** A block that is written and not yet synced. */
interface Written {
  readonly steps: readonly BlockStep[];
  readonly segment: number;
  readonly at: number;
}

export class SegmentStore implements LogStore {
  readonly #folder: SegmentFolder;
  readonly #segments: Map<number, OpenSegment>;
  readonly #index: Index;
  readonly #end: End;
  /** The segment after this one; undefined if it could not be made, which is told when it is needed. */
  #next: Promise<OpenSegment | undefined> | undefined;
  #committing = false;
  #mark: NodeJS.Timeout | undefined;
  #failure: unknown;

  /** Throws `logCorrupt`, or what the files throw. */
  static async open(folder: SegmentFolder): Promise<SegmentStore> {
    const index: Index = { places: new EntryPlaces(), values: new Map() };
    const { segments, current, at, sequence } = await recoverSegments(folder, (segment, position, block) => {
      for (const step of block.steps) carryOut(index, step, segment, position);
    });
    const segment = segments[current] ?? { number: 1, file: await folder.create(1, firstSegmentBytes) };
    // Segments after the last block are empty. One is of use.
    for (const { number, file } of segments.splice(current + 2)) {
      file.close();
      await folder.remove(number);
    }
    const next = segments.splice(current + 1)[0];
    const end = { segment, at, sequence, durable: sequence };
    return new SegmentStore(folder, [...segments.slice(0, current), segment], index, end, next);
  }

  private constructor(
    folder: SegmentFolder,
    segments: readonly OpenSegment[],
    index: Index,
    end: End,
    next: OpenSegment | undefined,
  ) {
    this.#folder = folder;
    this.#segments = new Map(segments.map((segment) => [segment.number, segment]));
    this.#index = index;
    this.#end = end;
    this.#next = next && Promise.resolve(next);
  }

  get(key: StoreKey): Uint8Array | undefined {
    if (typeof key === 'string') return this.#index.values.get(key);
    const place = this.#index.places.get(key);
    return place === undefined ? undefined : this.#file(place.segment).read(place.offset, place.length);
  }

  bounds(): { first: number; last: number } | undefined {
    return this.#index.places.bounds;
  }

  *range(first: number, last: number): Iterable<readonly [number, Uint8Array]> {
    const bounds = this.#index.places.bounds;
    if (bounds === undefined) return;
    const end = Math.min(last, bounds.last);
    for (let index = Math.max(first, bounds.first); index <= end; ) {
      const from = this.#index.places.get(index)!;
      let upTo = index;
      let until = from.offset + from.length;
      for (let next = this.#index.places.get(index + 1); next !== undefined && upTo < end; ) {
        const bytes = next.offset + next.length - from.offset;
        if (next.segment !== from.segment || next.offset < until || bytes > readBytesMax) break;
        until = next.offset + next.length;
        upTo++;
        next = this.#index.places.get(upTo + 1);
      }
      const bytes = this.#file(from.segment).read(from.offset, until - from.offset);
      for (; index <= upTo; index++) {
        // What was asked for may have been removed while its reader was away.
        const place = this.#index.places.get(index);
        if (place === undefined) return;
        const at = place.offset - from.offset;
        yield [index, bytes.subarray(at, at + place.length)];
      }
    }
  }

  async commit(operations: readonly StoreOperation[], mayHold = false): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#committing = true;
    try {
      await this.#sync(await this.#write(operations), mayHold);
      if (this.#end.at * 2 > this.#end.segment.file.sizeBytes) this.#next ??= this.#create();
      await this.#removeOld();
    } finally {
      this.#committing = false;
    }
    this.#mark ??= this.#markLater();
  }

  async close(): Promise<void> {
    clearTimeout(this.#mark);
    if (this.#mark !== undefined && !this.#committing) this.#writeMark();
    const next = await this.#next;
    for (const { file } of [...this.#segments.values(), ...(next === undefined ? [] : [next])]) file.close();
    this.#segments.clear();
  }

  async #write(operations: readonly StoreOperation[]): Promise<Written[]> {
    let written: Written[] = [];
    for (const some of inBlocks(operations)) {
      let block = this.#end.at === 0 ? [...this.#beginning(), ...some] : some;
      if (this.#end.at + sizeOf(block) > this.#end.segment.file.sizeBytes) {
        // What the old segment holds must be durable before anything in the new one is, and its values are repeated there.
        await this.#sync(written, false);
        written = [];
        await this.#turn(sizeOf([...this.#beginning(), ...some]));
        block = [...this.#beginning(), ...some];
      }
      const { segment, at, durable } = this.#end;
      const { bytes, steps } = encodeBlock(block, { sequence: this.#end.sequence + 1, durable });
      const later = segment.file.write(bytes, at);
      if (later !== undefined) await later;
      this.#end.sequence++;
      this.#end.at += bytes.length;
      written.push({ steps, segment: segment.number, at });
    }
    return written;
  }

  async #sync(written: readonly Written[], mayHold: boolean): Promise<void> {
    const { sequence } = this.#end;
    const later = this.#end.segment.file.sync(mayHold);
    if (later !== undefined) await later;
    this.#end.durable = sequence;
    for (const { steps, segment, at } of written) {
      for (const step of steps) carryOut(this.#index, step, segment, at);
    }
  }

  /** What a segment begins with. */
  #beginning(): BlockOperation[] {
    const values = [...this.#index.values].map(([key, value]) => ({ kind: 'put', key, value }) as const);
    return [{ kind: 'begin', segmentBytes: this.#end.segment.file.sizeBytes }, ...values];
  }

  /** Goes on in the next segment, which has room for `bytes`. */
  async #turn(bytes: number): Promise<void> {
    let next = (await this.#next) ?? (await this.#make(segmentBytesMax));
    this.#next = undefined;
    this.#segments.set(next.number, next);
    if (next.file.sizeBytes < bytes) {
      this.#end.segment = next;
      next = await this.#make(bytes);
      this.#segments.set(next.number, next);
    }
    this.#end.segment = next;
    this.#end.at = 0;
  }

  #create(): Promise<OpenSegment | undefined> {
    return this.#make(Math.min(this.#end.segment.file.sizeBytes * 2, segmentBytesMax)).catch(() => undefined);
  }

  async #make(sizeBytes: number): Promise<OpenSegment> {
    const number = this.#end.segment.number + 1;
    return { number, file: await this.#folder.create(number, sizeBytes) };
  }

  /** Segments before the one with the first entry hold nothing that counts. */
  async #removeOld(): Promise<void> {
    const { bounds } = this.#index.places;
    const oldest = bounds === undefined ? this.#end.segment.number : this.#index.places.get(bounds.first)!.segment;
    for (const { number, file } of this.#segments.values()) {
      if (number >= oldest) return;
      this.#segments.delete(number);
      file.close();
      await this.#folder.remove(number);
    }
  }

  #markLater(): NodeJS.Timeout {
    const { sequence } = this.#end;
    return setTimeout(() => {
      this.#mark = undefined;
      if (this.#committing || this.#end.sequence !== sequence) this.#mark = this.#markLater();
      else this.#writeMark();
    }, markAfterMs).unref();
  }

  /** An empty block that calls the one before it durable. It need not be durable itself. */
  #writeMark(): void {
    const { segment, at, sequence, durable } = this.#end;
    if (this.#failure !== undefined || durable !== sequence || at + blockHeaderBytes > segment.file.sizeBytes) return;
    const { bytes } = encodeBlock([], { sequence: sequence + 1, durable });
    try {
      segment.file.write(bytes, at);
      this.#end.sequence++;
      this.#end.at += bytes.length;
    } catch (error) {
      this.#failure = error;
    }
  }

  #file(segment: number): SegmentFile {
    return this.#segments.get(segment)!.file;
  }
}

/** What the blocks say, in memory. */
interface Index {
  readonly places: EntryPlaces;
  readonly values: Map<string, Uint8Array>;
}

function carryOut({ places, values }: Index, step: BlockStep, segment: number, at: number): void {
  switch (step.kind) {
    case 'begin':
      values.clear();
      break;
    case 'entry':
      places.add(step.place.index, { segment, offset: at + step.place.offset, length: step.place.length });
      break;
    case 'removeEntries':
      places.remove(step.first, step.last);
      break;
    case 'value':
      values.set(step.name, step.value);
      break;
    case 'removeValue':
      values.delete(step.name);
      break;
  }
}

const sizeOf = (operations: readonly BlockOperation[]): number =>
  blockBytes(operations.reduce((sum, operation) => sum + operationBytes(operation), 0));

/** Parts a commit where a block would grow too large. */
function* inBlocks(operations: readonly StoreOperation[]): Iterable<readonly StoreOperation[]> {
  let start = 0;
  let bytes = 0;
  for (let i = 0; i < operations.length; i++) {
    const more = operationBytes(operations[i]!);
    if (i > start && bytes + more > blockOperationsMax) {
      yield operations.slice(start, i);
      start = i;
      bytes = 0;
    }
    bytes += more;
  }
  if (start < operations.length) yield start === 0 ? operations : operations.slice(start);
}
