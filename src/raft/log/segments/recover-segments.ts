/**
 * Reading the segments when the log is opened: every block, in order, up to where a crash cut off the last commit. What was
 * cut off is wiped, so that it can never be taken for something newer. A block that was durable and is not right any more stops
 * the server (`logCorrupt`): leaving it out would take back a promise.
 */
import { RaftError } from '../../errors.ts';
import { type Block, blockHeaderBytes, decodeBlock } from './blocks.ts';
import type { SegmentFile, SegmentFolder } from './files.ts';

export interface OpenSegment {
  readonly number: number;
  readonly file: SegmentFile;
}

export interface RecoveredSegments {
  readonly segments: OpenSegment[];
  /** Where the next block goes in the last segment that has one; 0 of the first if none has. */
  readonly current: number;
  readonly at: number;
  readonly sequence: number;
}

const zeros = Buffer.alloc(64 * 1024);

/** Calls `take` with each block. */
export async function recoverSegments(
  folder: SegmentFolder,
  take: (segment: number, at: number, block: Block) => void,
): Promise<RecoveredSegments> {
  const segments = folder.list().map((number) => ({ number, file: folder.open(number) }));
  let sequence: number | undefined;
  let current = 0;
  let end = 0;
  let torn = false;
  for (const [position, { number, file }] of segments.entries()) {
    const bytes = file.read(0, file.sizeBytes);
    let at = 0;
    if (!torn) {
      for (;;) {
        const block = decodeBlock(bytes, at);
        if (block === undefined || (sequence !== undefined && block.sequence !== sequence + 1)) break;
        if (at === 0) refuseIfCutOff({ number, file }, block);
        take(number, at, block);
        sequence = block.sequence;
        at += block.bytes;
        current = position;
        end = at;
      }
    }
    const rest = lastNonZero(bytes, at);
    if (rest < at) continue;
    refuseIfDurable(bytes, at, sequence ?? 0, number);
    torn = true;
    for (let from = at; from <= rest; from += zeros.length) {
      await file.write(zeros.subarray(0, Math.min(zeros.length, rest + 1 - from)), from);
    }
    await file.sync(false);
  }
  return { segments, current, at: end, sequence: sequence ?? 0 };
}

/** A later block that calls the missing one durable proves that something was lost. */
function refuseIfDurable(bytes: Buffer, from: number, sequence: number, segment: number): void {
  for (let at = from; at + blockHeaderBytes <= bytes.length; at += 8) {
    if (bytes.readUInt32BE(at + 4) === 0) continue;
    const block = decodeBlock(bytes, at);
    if (block === undefined || block.durable <= sequence) continue;
    throw new RaftError('logCorrupt', {
      detail: `block ${sequence + 1}, which should be at byte ${from} of segment ${segment}, does not verify`,
    });
  }
}

function lastNonZero(bytes: Buffer, from: number): number {
  let end = bytes.length;
  while (end - from >= zeros.length && zeros.equals(bytes.subarray(end - zeros.length, end))) end -= zeros.length;
  while (end > from && bytes[end - 1] === 0) end--;
  return end - 1;
}

function refuseIfCutOff({ number, file }: OpenSegment, block: Block): void {
  const [begin] = block.steps;
  if (begin?.kind !== 'begin' || begin.segmentBytes === file.sizeBytes) return;
  throw new RaftError('logCorrupt', {
    detail: `segment ${number} has ${file.sizeBytes} bytes and was made with ${begin.segmentBytes}`,
  });
}
