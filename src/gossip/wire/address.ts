/**
 * IP addresses between the wire's bytes and text. The text is canonical, so that equal text means equal bytes: an IPv4
 * address in 4 bytes and the same in 16 differ (`10.0.0.1`, `::ffff:10.0.0.1`), as they do for memberlist's comparison.
 */
import { Malformed } from './malformed.ts';

export function addressFromBytes(bytes: Uint8Array | null): string {
  if (bytes === null || bytes.length === 0) return '';
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  if (bytes.length === 16) return ipv6Text(bytes);
  throw new Malformed('malformed', `an address of ${bytes.length} bytes`);
}

/** Throws RangeError for text that is no IP address: names are resolved before they come here. */
export function addressToBytes(text: string): Uint8Array {
  if (text === '') return new Uint8Array(0);
  const bytes = text.includes(':') ? ipv6Bytes(text) : ipv4Bytes(text);
  if (bytes === undefined) throw new RangeError(`not an IP address: ${text}`);
  return bytes;
}

function isAddress(text: string): boolean {
  return (text.includes(':') ? ipv6Bytes(text) : ipv4Bytes(text)) !== undefined;
}

/** The one text for an address; undefined if it is none. */
export function canonicalAddress(text: string): string | undefined {
  return isAddress(text) ? addressFromBytes(addressToBytes(text)) : undefined;
}

function ipv4Bytes(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    bytes[i] = Number(part);
  }
  return bytes;
}

function ipv6Bytes(text: string): Uint8Array | undefined {
  let groups = text.split('%')[0]!;
  const lastColon = groups.lastIndexOf(':');
  if (groups.includes('.')) {
    const tail = ipv4Bytes(groups.slice(lastColon + 1));
    if (tail === undefined) return undefined;
    const high = ((tail[0]! << 8) | tail[1]!).toString(16);
    const low = ((tail[2]! << 8) | tail[3]!).toString(16);
    groups = `${groups.slice(0, lastColon + 1)}${high}:${low}`;
  }
  const halves = groups.split('::');
  if (halves.length > 2) return undefined;
  const head = halves[0] === '' ? [] : halves[0]!.split(':');
  const tail = halves.length === 1 || halves[1] === '' ? [] : halves[1]!.split(':');
  const zeros = 8 - head.length - tail.length;
  if (halves.length === 1 ? zeros !== 0 : zeros < 1) return undefined;
  const all = [...head, ...Array<string>(halves.length === 1 ? 0 : zeros).fill('0'), ...tail];
  const bytes = new Uint8Array(16);
  for (const [i, group] of all.entries()) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    bytes[i * 2] = value >> 8;
    bytes[i * 2 + 1] = value & 0xff;
  }
  return bytes;
}

/** RFC 5952: lower case, the longest run of zero groups (two or more) as `::`, mapped IPv4 in dots. */
function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[i * 2]! << 8) | bytes[i * 2 + 1]!);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes[12]}.${bytes[13]}.${bytes[14]}.${bytes[15]}`;
  }
  let best = { start: 0, length: 0 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
  }
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  if (best.length < 2) return hex(0, 8);
  return `${hex(0, best.start)}::${hex(best.start + best.length, 8)}`;
}
