/**
 * The part of MessagePack that memberlist and Serf speak, in the old dialect: text and byte arrays share the raw codes
 * (a0..bf, da, db), and str8 and bin are accepted but never written. A generic library would write the new codes, and
 * would guess between text and bytes, which only the field's definition knows.
 */
import { Malformed } from './malformed.ts';
import { decodeUtf8, utf8Length, writeUtf8 } from './utf8.ts';

const nil = 0xc0;
const depthMax = 32;

/** Appends values to a buffer that grows. */
export class MsgpackWriter {
  private buffer: Uint8Array;
  private view: DataView;
  private length = 0;

  constructor(capacity = 256) {
    this.buffer = new Uint8Array(capacity);
    this.view = new DataView(this.buffer.buffer);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  /** Starts again in the same buffer. */
  reset(): void {
    this.length = 0;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  /** Bytes as they are, without any header. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  nil(): void {
    this.byte(nil);
  }

  bool(value: boolean): void {
    this.byte(value ? 0xc3 : 0xc2);
  }

  /** An integer in the shortest form; non-negative ones as unsigned, which is how Go's codec writes any of them. */
  int(value: number): void {
    this.reserve(9);
    if (value < 0) this.negative(value);
    else if (value < 0x80) this.buffer[this.length++] = value;
    else if (value <= 0xff) {
      this.buffer[this.length++] = 0xcc;
      this.buffer[this.length++] = value;
    } else if (value <= 0xffff) {
      this.buffer[this.length++] = 0xcd;
      this.view.setUint16(this.length, value);
      this.length += 2;
    } else if (value <= 0xffff_ffff) {
      this.buffer[this.length++] = 0xce;
      this.view.setUint32(this.length, value);
      this.length += 4;
    } else {
      this.buffer[this.length++] = 0xcf;
      this.view.setBigUint64(this.length, BigInt(value));
      this.length += 8;
    }
  }

  private negative(value: number): void {
    if (value >= -32) this.buffer[this.length++] = value & 0xff;
    else {
      this.buffer[this.length++] = 0xd3;
      this.view.setBigInt64(this.length, BigInt(value));
      this.length += 8;
    }
  }

  float64(value: number): void {
    this.reserve(9);
    this.buffer[this.length++] = 0xcb;
    this.view.setFloat64(this.length, value);
    this.length += 8;
  }

  text(value: string): void {
    const bytes = utf8Length(value);
    this.rawHeader(bytes);
    this.reserve(bytes);
    writeUtf8(value, this.buffer, this.length);
    this.length += bytes;
  }

  bytes(value: Uint8Array): void {
    this.rawHeader(value.length);
    this.raw(value);
  }

  listHeader(count: number): void {
    this.header(count, 0x90, 0xdc);
  }

  mapHeader(count: number): void {
    this.header(count, 0x80, 0xde);
  }

  private header(count: number, fix: number, wide: number): void {
    this.reserve(5);
    if (count < 16) this.buffer[this.length++] = fix | count;
    else if (count <= 0xffff) {
      this.buffer[this.length++] = wide;
      this.view.setUint16(this.length, count);
      this.length += 2;
    } else {
      this.buffer[this.length++] = wide + 1;
      this.view.setUint32(this.length, count);
      this.length += 4;
    }
  }

  private rawHeader(length: number): void {
    this.reserve(5);
    if (length < 32) this.buffer[this.length++] = 0xa0 | length;
    else if (length <= 0xffff) {
      this.buffer[this.length++] = 0xda;
      this.view.setUint16(this.length, length);
      this.length += 2;
    } else {
      this.buffer[this.length++] = 0xdb;
      this.view.setUint32(this.length, length);
      this.length += 4;
    }
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + bytes));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Reads values one after the other. Every method throws Malformed and leaves `position` undefined when it does. */
export class MsgpackReader {
  readonly bytes: Uint8Array;
  position: number;
  private lazyView: DataView | undefined;

  constructor(bytes: Uint8Array, position = 0) {
    this.bytes = bytes;
    this.position = position;
  }

  /** For wide numbers only: most messages have none, and a view costs more than reading them. */
  private get view(): DataView {
    this.lazyView ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    return this.lazyView;
  }

  private uint8(): number {
    return this.bytes[this.take(1)]!;
  }

  private uint16(): number {
    const at = this.take(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  private uint32(): number {
    const at = this.take(4);
    const { bytes } = this;
    return bytes[at]! * 0x100_0000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
  }

  get remaining(): number {
    return this.bytes.length - this.position;
  }

  /** Consumes a nil if one stands here. */
  tryNil(): boolean {
    if (this.bytes[this.position] !== nil) return false;
    this.position++;
    return true;
  }

  bool(): boolean {
    const code = this.take(1);
    const value = this.bytes[code];
    if (value === 0xc3 || value === 1) return true;
    if (value === 0xc2 || value === 0) return false;
    throw new Malformed('malformed', `expected a boolean, found code ${value}`);
  }

  /** An integer within the bounds, both included; bounds beyond 2^53 are not supported. */
  int(min: number, max: number): number {
    const value = this.number();
    if (!(value >= min && value <= max)) throw new Malformed('malformed', `integer ${value} outside ${min}..${max}`);
    return value;
  }

  private number(): number {
    const code = this.bytes[this.take(1)]!;
    if (code < 0x80) return code;
    if (code >= 0xe0) return code - 0x100;
    switch (code) {
      case 0xcc:
        return this.uint8();
      case 0xcd:
        return this.uint16();
      case 0xce:
        return this.uint32();
      case 0xcf:
        return Number(this.view.getBigUint64(this.take(8)));
      case 0xd0:
        return this.view.getInt8(this.take(1));
      case 0xd1:
        return this.view.getInt16(this.take(2));
      case 0xd2:
        return this.view.getInt32(this.take(4));
      case 0xd3:
        return Number(this.view.getBigInt64(this.take(8)));
      default:
        throw new Malformed('malformed', `expected an integer, found code ${code}`);
    }
  }

  float64(): number {
    const code = this.bytes[this.position];
    if (code === 0xcb) {
      this.position++;
      return this.view.getFloat64(this.take(8));
    }
    if (code === 0xca) {
      this.position++;
      return this.view.getFloat32(this.take(4));
    }
    return this.number();
  }

  /** Text or bytes: the range in `bytes`, without a copy. */
  rawRange(): { start: number; end: number } {
    const code = this.bytes[this.take(1)]!;
    let length: number;
    if (code >= 0xa0 && code <= 0xbf) length = code & 0x1f;
    else if (code === 0xd9 || code === 0xc4) length = this.uint8();
    else if (code === 0xda || code === 0xc5) length = this.uint16();
    else if (code === 0xdb || code === 0xc6) length = this.uint32();
    else throw new Malformed('malformed', `expected text or bytes, found code ${code}`);
    const start = this.take(length);
    return { start, end: start + length };
  }

  /** Text; nil counts as empty. */
  text(): string {
    if (this.tryNil()) return '';
    const { start, end } = this.rawRange();
    return decodeUtf8(this.bytes, start, end);
  }

  /** Bytes, not copied; nil stays null, since encoders tell nil from empty. Lists of small integers are accepted too. */
  byteArray(): Uint8Array | null {
    if (this.tryNil()) return null;
    const { start, end } = this.rawRange();
    return this.bytes.subarray(start, end);
  }

  /** The number of elements that follow; nil gives null. Each element takes a byte, so a count is bounded by the rest. */
  listHeader(): number | null {
    return this.header(0x90, 0xdc, 1);
  }

  mapHeader(): number | null {
    return this.header(0x80, 0xde, 2);
  }

  private header(fix: number, wide: number, bytesEach: number): number | null {
    if (this.tryNil()) return null;
    const code = this.bytes[this.take(1)]!;
    let count: number;
    if (code >= fix && code <= fix + 15) count = code - fix;
    else if (code === wide) count = this.uint16();
    else if (code === wide + 1) count = this.uint32();
    else throw new Malformed('malformed', `expected a ${bytesEach === 1 ? 'list' : 'map'}, found code ${code}`);
    if (count * bytesEach > this.remaining) throw new Malformed('truncated', `${count} elements announced`);
    return count;
  }

  /** Steps over one value of any type, e.g. of a key that a newer version added. */
  skip(depth = 0): void {
    if (depth > depthMax) throw new Malformed('too-deep', 'values nested too deep');
    const code = this.bytes[this.take(1)]!;
    if (code < 0x80 || code >= 0xe0 || code === nil || code === 0xc2 || code === 0xc3) return;
    if ((code >= 0xa0 && code <= 0xbf) || (code >= 0xc4 && code <= 0xc6) || (code >= 0xd9 && code <= 0xdb)) {
      this.position--;
      this.rawRange();
      return;
    }
    const fixed = fixedWidths[code];
    if (fixed !== undefined) {
      this.take(fixed);
      return;
    }
    this.position--;
    const isList = (code >= 0x90 && code <= 0x9f) || code === 0xdc || code === 0xdd;
    const count = isList ? this.listHeader()! : this.mapHeader()! * 2;
    for (let i = 0; i < count; i++) this.skip(depth + 1);
  }

  /** Moves over `count` bytes and gives where they start. */
  private take(count: number): number {
    const start = this.position;
    if (start + count > this.bytes.length) throw new Malformed('truncated', `${count} bytes wanted at ${start}`);
    this.position = start + count;
    return start;
  }
}

/** Bytes after the code of numbers and fixed extensions. */
const fixedWidths: Readonly<Record<number, number>> = {
  202: 4,
  203: 8,
  204: 1,
  205: 2,
  206: 4,
  207: 8,
  208: 1,
  209: 2,
  210: 4,
  211: 8,
  212: 2,
  213: 3,
  214: 5,
  215: 9,
  216: 17,
};
