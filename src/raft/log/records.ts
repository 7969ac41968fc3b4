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

export interface EncodedEntry {
  readonly bytes: Uint8Array;
  /** The chain value for the entry after this one. */
  readonly crc: number;
}

export function encodeEntry(entry: Entry, chain: number): EncodedEntry {
  const payload =
    entry.kind === 'command'
      ? entry.data
      : entry.kind === 'configuration'
        ? encoder.encode(JSON.stringify(entry.configuration))
        : nothing;
  const bytes = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, chain);
  view.setFloat64(8, entry.index);
  view.setFloat64(16, entry.term);
  view.setUint8(24, kinds.indexOf(entry.kind));
  bytes.set(payload, headerBytes);
  const crc = crc32(bytes.subarray(4));
  view.setUint32(0, crc);
  return { bytes, crc };
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
