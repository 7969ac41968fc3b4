/**
 * The bytes of the log's records. Each begins with a CRC-32 over everything after it.
 *
 *   entry         crc u32 | chain u32 | index f64 | term f64 | kind u8 | payload
 *   named record  crc u32 | JSON
 *
 * `chain` is the crc of the entry before, so a record that is right in itself but in the wrong place (a misdirected write, a
 * stale page) breaks the chain; `index` in the record says where it belongs. (Fault catalogue D08, D11.)
 */
import { crc32 } from 'node:zlib';
import type { Entry } from '../core/types.ts';

const headerBytes = 4 + 4 + 8 + 8 + 1;
const kinds = ['command', 'noop', 'configuration'] as const;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const nothing = new Uint8Array(0);

export interface EncodedEntries {
  readonly records: readonly Uint8Array[];
  /** The chain value for the entry after these. */
  readonly crc: number;
}

/** The records of entries that follow each other; `chain` is the crc of the one before. They share one piece of memory. */
export function encodeEntries(entries: readonly Entry[], chain: number): EncodedEntries {
  const payloads = entries.map(payloadOf);
  const room = Buffer.allocUnsafe(payloads.reduce((sum, { length }) => sum + headerBytes + length, 0));
  const records: Uint8Array[] = [];
  let crc = chain;
  let at = 0;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    const payload = payloads[i]!;
    const end = at + headerBytes + payload.length;
    room.writeUInt32BE(crc, at + 4);
    room.writeDoubleBE(entry.index, at + 8);
    room.writeDoubleBE(entry.term, at + 16);
    room[at + 24] = kinds.indexOf(entry.kind);
    room.set(payload, at + headerBytes);
    crc = crc32(room.subarray(at + 4, end));
    room.writeUInt32BE(crc, at);
    records.push(room.subarray(at, end));
    at = end;
  }
  return { records, crc };
}

function payloadOf(entry: Entry): Uint8Array {
  if (entry.kind === 'command') return entry.data;
  return entry.kind === 'configuration' ? encoder.encode(JSON.stringify(entry.configuration)) : nothing;
}

/** Undefined if the record is not, bit for bit, the one written for `index` after an entry with crc `chain`. */
export function decodeEntry(
  bytes: Uint8Array,
  index: number,
  chain: number | undefined,
): { readonly entry: Entry; readonly crc: number } | undefined {
  if (bytes.length < headerBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const crc = view.getUint32(0);
  if (crc32(bytes.subarray(4)) !== crc) return undefined;
  if (view.getFloat64(8) !== index) return undefined;
  if (chain !== undefined && view.getUint32(4) !== chain) return undefined;
  const term = view.getFloat64(16);
  const kind = kinds[view.getUint8(24)];
  const payload = bytes.subarray(headerBytes);
  if (kind === undefined) return undefined;
  if (kind === 'command') return { entry: { kind, index, term, data: payload }, crc };
  if (kind === 'noop') return { entry: { kind, index, term }, crc };
  return { entry: { kind, index, term, configuration: JSON.parse(decoder.decode(payload)) }, crc };
}

export function encodeRecord(value: unknown): Uint8Array {
  const json = encoder.encode(JSON.stringify(value));
  const bytes = new Uint8Array(4 + json.length);
  bytes.set(json, 4);
  new DataView(bytes.buffer).setUint32(0, crc32(json));
  return bytes;
}

/** Undefined if the checksum does not hold. */
export function decodeRecord(bytes: Uint8Array): unknown {
  if (bytes.length < 4) return undefined;
  const json = bytes.subarray(4);
  if (crc32(json) !== new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)) return undefined;
  return JSON.parse(decoder.decode(json));
}
