/**
 * A UDP packet between encryption and messages:
 *
 *     packet  := [CRC] message
 *     message := compress(message) | compound(message...) | one typed message
 *
 * A damaged part costs only itself: the rest of a compound is still delivered, and each problem is reported for the
 * counters. Nothing here throws for bytes from outside.
 */
import { crc32 } from './crc32.ts';
import { compoundPartsMax, nestingMax, packetInflatedBytesMax } from './limits.ts';
import { lzwCompress, lzwDecompress } from './lzw.ts';
import { Malformed, type WireProblem } from './malformed.ts';
import { compress, decodeMessage, type Message, typeByte } from './messages.ts';

export interface DecodedPacket {
  readonly messages: readonly Message[];
  readonly problems: readonly WireProblem[];
}

const crcBytes = 5;

export function decodePacket(bytes: Uint8Array): DecodedPacket {
  const state: State = { messages: [], problems: [], inflatedBytes: 0 };
  const body = checked(bytes, state);
  if (body !== undefined) decodePart(body, 0, state);
  return { messages: state.messages, problems: state.problems };
}

interface State {
  readonly messages: Message[];
  readonly problems: WireProblem[];
  inflatedBytes: number;
}

/** Looked for once, at the outside only. */
function checked(bytes: Uint8Array, state: State): Uint8Array | undefined {
  if (bytes[0] !== typeByte.crc) return bytes;
  if (bytes.length <= crcBytes) {
    state.problems.push('truncated');
    return undefined;
  }
  const announced = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  if (announced === crc32(bytes, crcBytes)) return bytes.subarray(crcBytes);
  state.problems.push('crc-mismatch');
  return undefined;
}

function decodePart(bytes: Uint8Array, depth: number, state: State): void {
  if (depth > nestingMax) {
    state.problems.push('too-deep');
    return;
  }
  try {
    if (bytes[0] === typeByte.compound) decodeCompound(bytes, depth, state);
    else if (bytes[0] === typeByte.compress) {
      const inflated = decompress(bytes, packetInflatedBytesMax - state.inflatedBytes);
      state.inflatedBytes += inflated.length;
      decodePart(inflated, depth + 1, state);
    } else state.messages.push(decodeMessage(bytes));
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    state.problems.push(error.problem);
  }
}

/** `07`, a count, the lengths, the parts. A truncated tail loses the parts that do not fit, a truncated table all. */
function decodeCompound(bytes: Uint8Array, depth: number, state: State): void {
  const count = bytes[1];
  if (count === undefined || bytes.length < 2 + count * 2)
    throw new Malformed('truncated', 'compound without its table');
  let at = 2 + count * 2;
  for (let i = 0; i < count; i++) {
    const length = (bytes[2 + i * 2]! << 8) | bytes[3 + i * 2]!;
    if (at + length > bytes.length) throw new Malformed('truncated', `part ${i} of a compound`);
    decodePart(bytes.subarray(at, at + length), depth + 1, state);
    at += length;
  }
}

/** The message inside a compress message. Throws Malformed. */
export function decompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const { Algo, Buf } = compress.decode(bytes, 1);
  if (Algo !== 0) throw new Malformed('unknown-type', `compression algorithm ${Algo}`);
  return lzwDecompress(Buf ?? new Uint8Array(0), bytesMax);
}

export function encodeCompress(message: Uint8Array): Uint8Array {
  return compress.encode({ Algo: 0, Buf: lzwCompress(message) }, typeByte.compress);
}

/** One message as it is, several as a compound; more than fit one compound are the caller's mistake. */
export function bundle(messages: readonly Uint8Array[]): Uint8Array {
  if (messages.length === 1) return messages[0]!;
  if (messages.length > compoundPartsMax) throw new RangeError(`${messages.length} parts in one compound`);
  const table = 2 + messages.length * 2;
  const length = messages.reduce((sum, message) => sum + message.length, table);
  const bytes = new Uint8Array(length);
  bytes[0] = typeByte.compound;
  bytes[1] = messages.length;
  let at = table;
  for (const [i, message] of messages.entries()) {
    bytes[2 + i * 2] = message.length >> 8;
    bytes[3 + i * 2] = message.length & 0xff;
    bytes.set(message, at);
    at += message.length;
  }
  return bytes;
}

/**
 * The envelope that goes round a message on UDP: compressed if that is allowed and shorter, with a checksum if the
 * receiver is known to understand it.
 */
export function encodePacket(message: Uint8Array, options: { compression: boolean; crc: boolean }): Uint8Array {
  let body = message;
  if (options.compression) {
    const smaller = encodeCompress(message);
    if (smaller.length < message.length) body = smaller;
  }
  if (!options.crc) return body;
  const bytes = new Uint8Array(crcBytes + body.length);
  bytes[0] = typeByte.crc;
  new DataView(bytes.buffer).setUint32(1, crc32(body));
  bytes.set(body, crcBytes);
  return bytes;
}
