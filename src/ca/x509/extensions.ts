/**
 * The X.509 extensions of the mesh, built and read (RFC 5280 §4.2). They always appear in this order: key usage,
 * extended key usage, basic constraints, subject key id, authority key id, subject alternative names.
 */
import { isIP } from 'node:net';
import {
  type Asn1,
  boolean,
  contextPrimitive,
  decode,
  encode,
  fromBinary,
  integer,
  isContext,
  isUniversal,
  items,
  namedBits,
  objectId,
  octets,
  raw,
  rawOf,
  readBoolean,
  readInteger,
  readNamedBits,
  readOid,
  sequence,
  Type,
  toBinary,
} from './asn1.ts';
import { oid } from './oids.ts';

/** Bit numbers of KeyUsage. */
export const keyUsage = {
  digitalSignature: 0,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  keyCertSign: 5,
  cRLSign: 6,
} as const;

export interface AlternativeNames {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  /** Printed form: `127.0.0.1`, `::1`. */
  readonly ipAddresses: readonly string[];
}

export interface Extensions extends AlternativeNames {
  /** Bit numbers; null when the extension is absent, which restricts nothing. */
  readonly keyUsage: readonly number[] | null;
  /** Object identifiers; null when absent. */
  readonly extKeyUsage: readonly string[] | null;
  readonly isCa: boolean;
  /** How many CA certificates may follow this one; null: any number. */
  readonly pathLength: number | null;
  readonly subjectKeyId: Uint8Array | null;
  readonly authorityKeyId: Uint8Array | null;
  /** Critical extensions nobody here understands: whoever verifies must refuse (RFC 5280 §4.2). */
  readonly unknownCritical: readonly string[];
}

export const noExtensions: Extensions = {
  keyUsage: null,
  extKeyUsage: null,
  isCa: false,
  pathLength: null,
  subjectKeyId: null,
  authorityKeyId: null,
  unknownCritical: [],
  uris: [],
  dnsNames: [],
  ipAddresses: [],
};

function extension(id: string, critical: boolean, value: Asn1): Asn1 {
  const content = octets(encode(value));
  return critical ? sequence(objectId(id), boolean(true), content) : sequence(objectId(id), content);
}

export const keyUsageExtension = (bits: readonly number[]): Asn1 => extension(oid.keyUsage, true, namedBits(bits));

export const extKeyUsageExtension = (usages: readonly string[]): Asn1 =>
  extension(oid.extKeyUsage, false, sequence(...usages.map(objectId)));

export function basicConstraintsExtension(isCa: boolean, pathLength: number | null): Asn1 {
  if (!isCa) return extension(oid.basicConstraints, true, sequence());
  const limit = pathLength === null ? [] : [integer(BigInt(pathLength))];
  return extension(oid.basicConstraints, true, sequence(boolean(true), ...limit));
}

export const subjectKeyIdExtension = (keyId: Uint8Array): Asn1 =>
  extension(oid.subjectKeyId, false, octets(toBinary(keyId)));

export const authorityKeyIdExtension = (keyId: Uint8Array): Asn1 =>
  extension(oid.authorityKeyId, false, sequence(contextPrimitive(0, toBinary(keyId))));

/** Null when there is nothing to name. Order: DNS, IP, URI. */
export function alternativeNamesExtension(names: AlternativeNames): Asn1 | null {
  const all = [
    ...names.dnsNames.map((name) => contextPrimitive(2, name)),
    ...names.ipAddresses.map((address) => contextPrimitive(7, toBinary(ipBytes(address)))),
    ...names.uris.map((uri) => contextPrimitive(6, uri)),
  ];
  return all.length === 0 ? null : extension(oid.subjectAltName, false, sequence(...all));
}

/** Reads `Extensions ::= SEQUENCE OF Extension`; null when malformed or when one appears twice. */
export function readExtensions(node: Asn1): Extensions | null {
  const list = items(node);
  if (list === null) return null;
  let result: Extensions = noExtensions;
  const seen = new Set<string>();
  for (const entry of list) {
    const parts = items(entry);
    const id = readOid(parts?.[0]);
    if (parts === null || id === null || parts.length < 2 || parts.length > 3 || seen.has(id)) return null;
    seen.add(id);
    const critical = parts.length === 3 ? readBoolean(parts[1]) : false;
    const content = rawOf(parts.at(-1), Type.OCTETSTRING);
    if (critical === null || content === null) return null;
    const reader = readers[id];
    if (reader === undefined) {
      if (critical) result = { ...result, unknownCritical: [...result.unknownCritical, id] };
      continue;
    }
    const value = decode(fromBinary(content));
    const read = value.ok ? reader(value.value) : null;
    if (read === null) return null;
    result = { ...result, ...read };
  }
  return result;
}

const readers: Readonly<Record<string, (node: Asn1) => Partial<Extensions> | null>> = {
  [oid.keyUsage]: (node) => {
    const bits = readNamedBits(node);
    return bits === null ? null : { keyUsage: bits };
  },
  [oid.extKeyUsage]: (node) => {
    const usages = items(node)?.map(readOid);
    return usages === undefined || usages.length === 0 || !allThere(usages) ? null : { extKeyUsage: usages };
  },
  [oid.basicConstraints]: (node) => {
    const parts = items(node);
    if (parts === null || parts.length > 2) return null;
    if (parts.length === 0) return { isCa: false, pathLength: null };
    const isCa = readBoolean(parts[0]);
    const length = parts.length === 2 ? readInteger(parts[1]) : null;
    if (isCa === null || (parts.length === 2 && (length === null || length > 255n || !isCa))) return null;
    return { isCa, pathLength: length === null ? null : Number(length) };
  },
  [oid.subjectKeyId]: (node) => {
    const bytes = rawOf(node, Type.OCTETSTRING);
    return bytes === null ? null : { subjectKeyId: fromBinary(bytes) };
  },
  [oid.authorityKeyId]: (node) => {
    const parts = items(node);
    if (parts === null) return null;
    const keyId = parts.find((part) => isContext(part, 0));
    if (keyId === undefined) return {};
    const bytes = raw(keyId);
    return bytes === null ? null : { authorityKeyId: fromBinary(bytes) };
  },
  [oid.subjectAltName]: readAlternativeNames,
};

function readAlternativeNames(node: Asn1): AlternativeNames | null {
  const names = items(node);
  if (names === null) return null;
  const uris: string[] = [];
  const dnsNames: string[] = [];
  const ipAddresses: string[] = [];
  for (const name of names) {
    if (isUniversal(name, name.type as number)) return null;
    const value = raw(name);
    if (isContext(name, 6) || isContext(name, 2)) {
      if (value === null || !isVisibleAscii(value)) return null;
      (isContext(name, 6) ? uris : dnsNames).push(value);
    } else if (isContext(name, 7)) {
      const address = value === null ? null : ipText(fromBinary(value));
      if (address === null) return null;
      ipAddresses.push(address);
    }
    // Other kinds of name (mail, directory…) mean nothing to a mesh and give no identity.
  }
  return { uris, dnsNames, ipAddresses };
}

function allThere<T>(list: (T | null)[]): list is T[] {
  return !list.includes(null);
}

/** IA5String that can be shown; a NUL or a line break in a name is an attack. */
function isVisibleAscii(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

function ipText(bytes: Uint8Array): string | null {
  if (bytes.length === 4) return [...bytes].join('.');
  if (bytes.length !== 16) return null;
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16));
  const zeros = [...groups.join(':').matchAll(/\b0(:0)+\b/g)].map((match) => match[0]);
  const longest = zeros.sort((a, b) => b.length - a.length)[0];
  if (longest === undefined) return groups.join(':');
  return groups.join(':').replace(new RegExp(`(^|:)${longest}(:|$)`), '::');
}

/** The bytes of a valid printed address. */
function ipBytes(address: string): Uint8Array {
  const version = isIP(address);
  if (version === 4) return Uint8Array.from(address.split('.').map(Number));
  if (version !== 6) throw new RangeError(`not an IP address: ${JSON.stringify(address)}`);
  const text = address.replace(/%.*$/, '').replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    return `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`;
  });
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
  );
}
