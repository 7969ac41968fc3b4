/**
 * DER, written and read with node-forge's ASN.1 layer and nothing else of that library: no keys, no signatures, no
 * verification. forge keeps bytes in strings of one character a byte; they are turned into Uint8Array here, at the edge.
 *
 * What is read must be DER to the byte: a structure that does not encode back to the very bytes it came from is refused,
 * so that what we look at and what a signature covers can never be two readings of one file.
 */
import type forge from 'node-forge';
import asn1 from 'node-forge/lib/asn1.js';
import { ok } from '../../std/result.ts';
import { type CaResult, caErr } from '../errors.ts';

export type Asn1 = forge.asn1.Asn1;

const { Class, Type } = asn1;

/** The published types do not know the options; without `decodeBitStrings: false` forge guesses structure in signatures. */
const fromDer = asn1.fromDer as unknown as (
  bytes: string,
  options: { strict: boolean; parseAllBytes: boolean; decodeBitStrings: boolean },
) => Asn1;

/** A certificate of ours has under 1 KiB. The limit keeps a hostile input from costing more than a moment. */
export const derBytesMax = 64 * 1024;

export const toBinary = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
export const fromBinary = (text: string): Uint8Array => Buffer.from(text, 'latin1');

export const sequence = (...items: Asn1[]): Asn1 => asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, items);
export const setOf = (...items: Asn1[]): Asn1 => asn1.create(Class.UNIVERSAL, Type.SET, true, items);
export const primitive = (type: number, value: string): Asn1 => asn1.create(Class.UNIVERSAL, type, false, value);
export const octets = (bytes: string): Asn1 => primitive(Type.OCTETSTRING, bytes);
export const boolean = (value: boolean): Asn1 => primitive(Type.BOOLEAN, value ? '\xff' : '\0');
/** Context-specific tag `[tag]`, holding either raw bytes or structures. */
export const contextPrimitive = (tag: number, bytes: string): Asn1 =>
  asn1.create(Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, false, bytes);
export const contextConstructed = (tag: number, ...items: Asn1[]): Asn1 =>
  asn1.create(Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, true, items);

const oidBytes = new Map<string, string>();

export function objectId(dotted: string): Asn1 {
  let bytes = oidBytes.get(dotted);
  if (bytes === undefined) {
    bytes = asn1.oidToDer(dotted).getBytes();
    oidBytes.set(dotted, bytes);
  }
  return primitive(Type.OID, bytes);
}

/** A non-negative INTEGER, in as few bytes as DER wants. */
export function integer(value: bigint): Asn1 {
  let hex = value.toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  if (Number.parseInt(hex.slice(0, 2), 16) >= 0x80) hex = `00${hex}`;
  return primitive(Type.INTEGER, Buffer.from(hex, 'hex').toString('latin1'));
}

/** A whole number of bytes as BIT STRING. */
export const bitString = (bytes: string): Asn1 => primitive(Type.BITSTRING, `\0${bytes}`);

/** Named bits (RFC 5280 §4.2.1.3): bit 0 is the highest of the first byte; trailing zeros are cut, as DER wants. */
export function namedBits(bits: readonly number[]): Asn1 {
  const last = Math.max(...bits);
  const bytes = new Uint8Array(Math.floor(last / 8) + 1);
  for (const bit of bits) bytes[bit >> 3]! |= 0x80 >> (bit & 7);
  return primitive(Type.BITSTRING, String.fromCharCode(7 - (last & 7)) + toBinary(bytes));
}

/** UTCTime up to 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). Whole seconds. */
export function time(ms: number): Asn1 {
  const digits = new Date(ms).toISOString().slice(0, 19).replace(/[-T:]/g, '');
  const isUtcTime = digits < '2050';
  return primitive(isUtcTime ? Type.UTCTIME : Type.GENERALIZEDTIME, `${isUtcTime ? digits.slice(2) : digits}Z`);
}

export const encode = (node: Asn1): string => asn1.toDer(node).getBytes();

const constructedSequence = Type.SEQUENCE | 0x20;

/** A SEQUENCE of parts that are encoded already, so that what was signed need not be encoded twice. */
export const encodedSequence = (...parts: string[]): string => encode(primitive(constructedSequence, parts.join('')));

/** Reads exactly one DER structure; anything before, after or otherwise than DER is an error, never a throw. */
export function decode(bytes: Uint8Array): CaResult<Asn1> {
  if (bytes.length > derBytesMax)
    return caErr('asn1', `structure of ${bytes.length} bytes is larger than ${derBytesMax}`);
  const binary = toBinary(bytes);
  try {
    const node = fromDer(binary, { strict: true, parseAllBytes: true, decodeBitStrings: false });
    if (encode(node) !== binary) return caErr('asn1', 'structure is not in DER');
    return ok(node);
  } catch (error) {
    return caErr('asn1', `structure cannot be read: ${error instanceof Error ? error.message : 'unknown reason'}`);
  }
}

// Readers. Each gives null when the node is something else; callers turn that into one error for the whole structure.

export function isUniversal(node: Asn1 | undefined, type: number): node is Asn1 {
  return node !== undefined && node.tagClass === Class.UNIVERSAL && (node.type as number) === type;
}

export function isContext(node: Asn1 | undefined, tag: number): node is Asn1 {
  return node !== undefined && node.tagClass === Class.CONTEXT_SPECIFIC && (node.type as number) === tag;
}

/** The children of a SEQUENCE, or null. */
export function items(node: Asn1 | undefined): Asn1[] | null {
  return isUniversal(node, Type.SEQUENCE) ? children(node) : null;
}

export function children(node: Asn1): Asn1[] | null {
  return Array.isArray(node.value) ? node.value : null;
}

/** The raw bytes of a primitive node, or null. */
export function raw(node: Asn1 | undefined): string | null {
  return node !== undefined && typeof node.value === 'string' ? node.value : null;
}

export function rawOf(node: Asn1 | undefined, type: number): string | null {
  return isUniversal(node, type) ? raw(node) : null;
}

export function readOid(node: Asn1 | undefined): string | null {
  const bytes = rawOf(node, Type.OID);
  if (bytes === null || bytes.length === 0 || bytes.length > 64) return null;
  try {
    return asn1.derToOid(bytes);
  } catch {
    return null; // not an object identifier, which is the answer
  }
}

/** A non-negative INTEGER. */
export function readInteger(node: Asn1 | undefined): bigint | null {
  const bytes = rawOf(node, Type.INTEGER);
  if (bytes === null || bytes.length === 0 || bytes.length > 64 || bytes.charCodeAt(0) >= 0x80) return null;
  return BigInt(`0x${Buffer.from(bytes, 'latin1').toString('hex')}`);
}

export function readBoolean(node: Asn1 | undefined): boolean | null {
  const bytes = rawOf(node, Type.BOOLEAN);
  return bytes === '\xff' ? true : bytes === '\0' ? false : null;
}

/** The bytes of a BIT STRING without unused bits. */
export function readBitBytes(node: Asn1 | undefined): string | null {
  const bytes = rawOf(node, Type.BITSTRING);
  return bytes !== null && bytes.length > 0 && bytes.charCodeAt(0) === 0 ? bytes.slice(1) : null;
}

/** Positions of the bits that are set. */
export function readNamedBits(node: Asn1 | undefined): number[] | null {
  const bytes = rawOf(node, Type.BITSTRING);
  if (bytes === null || bytes.length < 1 || bytes.length > 3) return null;
  const bits: number[] = [];
  for (let i = 0; i < (bytes.length - 1) * 8; i++) {
    if (bytes.charCodeAt(1 + (i >> 3)) & (0x80 >> (i & 7))) bits.push(i);
  }
  return bits;
}

const utcTime = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const generalizedTime = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** Milliseconds since 1970, or null for anything but the two forms RFC 5280 allows. */
export function readTime(node: Asn1 | undefined): number | null {
  const utc = rawOf(node, Type.UTCTIME);
  const match = utc !== null ? utcTime.exec(utc) : generalizedTime.exec(rawOf(node, Type.GENERALIZEDTIME) ?? '');
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const fullYear = utc === null ? year : year < 50 ? 2000 + year : 1900 + year;
  const date = new Date(0);
  date.setUTCFullYear(fullYear, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const isReal =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  return isReal ? date.getTime() : null;
}

const textTypes: readonly number[] = [Type.UTF8, Type.PRINTABLESTRING, Type.IA5STRING];

/** The text of a directory or IA5 string. */
export function readText(node: Asn1 | undefined): string | null {
  if (node === undefined || node.tagClass !== Class.UNIVERSAL || !textTypes.includes(node.type as number)) return null;
  const bytes = raw(node);
  return bytes === null ? null : Buffer.from(bytes, 'latin1').toString('utf8');
}

export { Type };
