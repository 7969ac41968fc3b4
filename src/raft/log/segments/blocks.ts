/**
 * The bytes of a segment: blocks one after the other, then zeros. A block holds some operations of one commit.
 *
 *   block      crc32 u32 | bytes u32 | sequence f64 | durable f64 | operations | zeros up to a multiple of 8
 *   operation  1 index f64, length u32, bytes      an entry
 *              2 first f64, last f64               entries removed
 *              3 length u8, name, length u32, bytes   a named value
 *              4 length u8, name                   a named value removed
 *              5 bytes f64                         a segment of that size begins: the named values that count follow
 *
 * `sequence` counts blocks, over all segments. `durable` is the newest block that was on the disk for certain when this one was
 * written. It tells damage from a crash: a bad block that a later one calls durable was promised to somebody; any other is what a
 * crash left of a commit that was never reported. (Fault catalogue D02, D08, D12.)
 */
import { crc32 } from 'node:zlib';
import type { StoreOperation } from '../store.ts';

export const blockHeaderBytes = 4 + 4 + 8 + 8;
const alignment = 8;

const kinds = { entry: 1, removeEntries: 2, value: 3, removeValue: 4, begin: 5 } as const;

/** Where a block put the bytes of an entry, from the block's beginning. */
export interface EntryPlace {
  readonly index: number;
  readonly offset: number;
  readonly length: number;
}

export interface BlockOrder {
  readonly sequence: number;
  readonly durable: number;
}

export interface Block extends BlockOrder {
  /** Whole block, padding included. */
  readonly bytes: number;
  readonly steps: readonly BlockStep[];
}

/** What a block says, in order. */
export type BlockStep =
  | { readonly kind: 'begin'; readonly segmentBytes: number }
  | { readonly kind: 'entry'; readonly place: EntryPlace }
  | { readonly kind: 'removeEntries'; readonly first: number; readonly last: number }
  | { readonly kind: 'value'; readonly name: string; readonly value: Uint8Array }
  | { readonly kind: 'removeValue'; readonly name: string };

/** An operation of the store, or the beginning of a segment. */
export type BlockOperation = StoreOperation | { readonly kind: 'begin'; readonly segmentBytes: number };

/** Most bytes that an operation takes in a block. */
export function operationBytes(operation: BlockOperation): number {
  if (operation.kind === 'begin') return 1 + 8;
  const { key } = operation;
  const value = operation.kind === 'put' ? 4 + operation.value.length : 0;
  return typeof key === 'number' ? 1 + 8 + (operation.kind === 'put' ? value : 8) : 2 + key.length + value;
}

/** Bytes of a block with operations of `bytes` in all. */
export const blockBytes = (bytes: number): number => Math.ceil((blockHeaderBytes + bytes) / alignment) * alignment;

export interface EncodedBlock {
  readonly bytes: Uint8Array;
  readonly steps: readonly BlockStep[];
}

export function encodeBlock(operations: readonly BlockOperation[], order: BlockOrder): EncodedBlock {
  const room = blockBytes(operations.reduce((sum, operation) => sum + operationBytes(operation), 0));
  const bytes = Buffer.allocUnsafe(room);
  const steps: BlockStep[] = [];
  let at = blockHeaderBytes;
  for (let i = 0; i < operations.length; i++) {
    const operation = operations[i]!;
    if (operation.kind === 'begin') {
      bytes[at] = kinds.begin;
      bytes.writeDoubleBE(operation.segmentBytes, at + 1);
      at += 9;
      steps.push(operation);
      continue;
    }
    const { key } = operation;
    if (typeof key === 'number') {
      if (operation.kind === 'put') {
        const { value } = operation;
        bytes[at] = kinds.entry;
        bytes.writeDoubleBE(key, at + 1);
        bytes.writeUInt32BE(value.length, at + 9);
        at += 13;
        bytes.set(value, at);
        steps.push({ kind: 'entry', place: { index: key, offset: at, length: value.length } });
        at += value.length;
      } else {
        // Removals come in runs, upwards or downwards: a run is one operation.
        let first = key;
        let last = key;
        for (let next = operations[i + 1]; ; next = operations[i + 1]) {
          if (next?.kind !== 'remove') break;
          if (next.key === last + 1) last++;
          else if (next.key === first - 1) first--;
          else break;
          i++;
        }
        bytes[at] = kinds.removeEntries;
        bytes.writeDoubleBE(first, at + 1);
        bytes.writeDoubleBE(last, at + 9);
        at += 17;
        steps.push({ kind: 'removeEntries', first, last });
      }
    } else {
      bytes[at] = operation.kind === 'put' ? kinds.value : kinds.removeValue;
      bytes[at + 1] = bytes.write(key, at + 2, 'latin1');
      at += 2 + key.length;
      if (operation.kind === 'put') {
        const { value } = operation;
        bytes.writeUInt32BE(value.length, at);
        bytes.set(value, at + 4);
        at += 4 + value.length;
        steps.push({ kind: 'value', name: key, value });
      } else steps.push({ kind: 'removeValue', name: key });
    }
  }
  const whole = blockBytes(at - blockHeaderBytes);
  bytes.fill(0, at, whole);
  bytes.writeUInt32BE(at, 4);
  bytes.writeDoubleBE(order.sequence, 8);
  bytes.writeDoubleBE(order.durable, 16);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, at)), 0);
  return { bytes: bytes.subarray(0, whole), steps };
}

/** The block that begins at `at`; undefined if none that is whole and right does. */
export function decodeBlock(segment: Buffer, at: number): Block | undefined {
  if (at + blockHeaderBytes > segment.length) return undefined;
  const length = segment.readUInt32BE(at + 4);
  if (length < blockHeaderBytes || at + length > segment.length) return undefined;
  if (crc32(segment.subarray(at + 4, at + length)) !== segment.readUInt32BE(at)) return undefined;
  const block = segment.subarray(at, at + length);
  return {
    sequence: block.readDoubleBE(8),
    durable: block.readDoubleBE(16),
    bytes: blockBytes(length - blockHeaderBytes),
    steps: decodeSteps(block),
  };
}

function decodeSteps(block: Buffer): BlockStep[] {
  const steps: BlockStep[] = [];
  let at = blockHeaderBytes;
  while (at < block.length) {
    const kind = block[at];
    at++;
    if (kind === kinds.begin) {
      steps.push({ kind: 'begin', segmentBytes: block.readDoubleBE(at) });
      at += 8;
    } else if (kind === kinds.entry) {
      const length = block.readUInt32BE(at + 8);
      steps.push({ kind: 'entry', place: { index: block.readDoubleBE(at), offset: at + 12, length } });
      at += 12 + length;
    } else if (kind === kinds.removeEntries) {
      steps.push({ kind: 'removeEntries', first: block.readDoubleBE(at), last: block.readDoubleBE(at + 8) });
      at += 16;
    } else {
      const nameLength = block[at]!;
      const name = block.toString('latin1', at + 1, at + 1 + nameLength);
      at += 1 + nameLength;
      if (kind === kinds.removeValue) {
        steps.push({ kind: 'removeValue', name });
        continue;
      }
      const length = block.readUInt32BE(at);
      // A copy: the value outlives the segment's bytes.
      steps.push({ kind: 'value', name, value: Uint8Array.from(block.subarray(at + 4, at + 4 + length)) });
      at += 4 + length;
    }
  }
  return steps;
}
