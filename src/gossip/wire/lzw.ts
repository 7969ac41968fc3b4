/**
 * LZW as memberlist compresses with: bits packed from the lowest, literals of 8 bits, the GIF flavour. Codes 0..255 are
 * literals, 256 clears the table, 257 ends the stream, 258..4095 are strings seen before, each one a previous string
 * and one byte.
 *
 * Both sides count the codes since the last clear, from 257. Code widths follow from that counter alone: it starts at
 * 9 bits, and when the counter reaches 512, 1024 or 2048 the next code is a bit wider. A writer clears at 4095, so a
 * string never gets code 4095.
 */
import { Malformed } from './malformed.ts';

const clearCode = 256;
const endCode = 257;
const codeMax = 4095;
const noCode = -1;

const hashBits = 14;
const hashMask = (1 << hashBits) - 1;
/** Scratch of the writer, an open hash from (prefix code, byte) + 1 to the code of the string; key 0 is a free slot. */
const hashKeys = new Uint32Array(1 << hashBits);
const hashCodes = new Uint16Array(1 << hashBits);

export function lzwCompress(input: Uint8Array): Uint8Array {
  const out = new BitWriter(Math.ceil(input.length * 1.5) + 8);
  let width = 9;
  let counter = endCode;
  hashKeys.fill(0);
  out.put(clearCode, width);

  /** Counts a data code that was just written; true if the table had to be cleared. */
  const count = (): boolean => {
    counter++;
    if (counter === codeMax) {
      out.put(clearCode, width);
      width = 9;
      counter = endCode;
      hashKeys.fill(0);
      return true;
    }
    if (counter === 1 << width) width++;
    return false;
  };

  let current = input.length > 0 ? input[0]! : noCode;
  for (let i = 1; i < input.length; i++) {
    const byte = input[i]!;
    const key = ((current << 8) | byte) + 1;
    let slot = Math.imul(key, 0x9e37_79b1) >>> (32 - hashBits);
    while (hashKeys[slot] !== 0 && hashKeys[slot] !== key) slot = (slot + 1) & hashMask;
    if (hashKeys[slot] === key) {
      current = hashCodes[slot]!;
      continue;
    }
    out.put(current, width);
    current = byte;
    if (count()) continue;
    hashKeys[slot] = key;
    hashCodes[slot] = counter;
  }
  if (current !== noCode) {
    out.put(current, width);
    count();
  }
  out.put(endCode, width);
  return out.finish();
}

/** Scratch of the reader: each string as (prefix string, last byte), with its length. */
const prefixes = new Uint16Array(codeMax + 1);
const suffixes = new Uint8Array(codeMax + 1);
const lengths = new Uint16Array(codeMax + 1);
for (let i = 0; i < 256; i++) {
  suffixes[i] = i;
  lengths[i] = 1;
}

/** Throws Malformed: `too-large` beyond `bytesMax`, `truncated` without an end code, `malformed` for an unknown code. */
export function lzwDecompress(input: Uint8Array, bytesMax: number): Uint8Array {
  let out = new Uint8Array(Math.min(bytesMax, Math.max(256, input.length * 4)));
  let length = 0;
  let width = 9;
  let counter = endCode;
  let previous = noCode;
  let bits = 0;
  let bitCount = 0;
  let at = 0;
  for (;;) {
    while (bitCount < width) {
      if (at === input.length) throw new Malformed('truncated', 'compressed data without an end');
      bits |= input[at++]! << bitCount;
      bitCount += 8;
    }
    const code = bits & ((1 << width) - 1);
    bits >>>= width;
    bitCount -= width;
    if (code === endCode) return out.subarray(0, length);
    if (code === clearCode) {
      width = 9;
      counter = endCode;
      previous = noCode;
      continue;
    }
    // `counter` is the code that the entry born with this step would get; it may be the very code that was sent.
    const known = code < clearCode || code < counter || (code === counter && previous !== noCode);
    if (!known) throw new Malformed('malformed', `compressed code ${code} before its definition`);
    const fresh = code === counter && code > endCode;
    const stringLength = fresh ? lengths[previous]! + 1 : lengths[code]!;
    if (length + stringLength > bytesMax) throw new Malformed('too-large', `more than ${bytesMax} bytes inflated`);
    if (length + stringLength > out.length) out = grow(out, Math.min(bytesMax, (length + stringLength) * 2), length);
    let walk = fresh ? previous : code;
    let target = length + stringLength - 1;
    if (fresh) target--;
    for (; target > length; target--) {
      out[target] = suffixes[walk]!;
      walk = prefixes[walk]!;
    }
    out[length] = suffixes[walk]!;
    const first = suffixes[walk]!;
    if (fresh) out[length + stringLength - 1] = first;
    if (previous !== noCode && counter <= codeMax) {
      prefixes[counter] = previous;
      suffixes[counter] = first;
      lengths[counter] = lengths[previous]! + 1;
    }
    length += stringLength;
    previous = code;
    if (counter <= codeMax) counter++;
    // A full table stays as it is until a clear: no new strings, and the width stays at 12.
    if (counter > codeMax) previous = noCode;
    else if (counter === 1 << width && width < 12) width++;
  }
}

function grow(bytes: Uint8Array<ArrayBuffer>, size: number, used: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(size);
  grown.set(bytes.subarray(0, used));
  return grown;
}

/** Packs codes from the lowest bit; the last byte is padded with zeros. */
class BitWriter {
  private readonly buffer: Uint8Array;
  private length = 0;
  private bits = 0;
  private bitCount = 0;

  /** The caller knows how much can come: at most 12 bits a byte, and clears. */
  constructor(capacity: number) {
    this.buffer = new Uint8Array(capacity + (capacity >> 8));
  }

  put(code: number, width: number): void {
    this.bits |= code << this.bitCount;
    this.bitCount += width;
    while (this.bitCount >= 8) {
      this.buffer[this.length++] = this.bits & 0xff;
      this.bits >>>= 8;
      this.bitCount -= 8;
    }
  }

  finish(): Uint8Array {
    if (this.bitCount > 0) this.buffer[this.length++] = this.bits & 0xff;
    this.bits = 0;
    this.bitCount = 0;
    return this.buffer.slice(0, this.length);
  }
}
