/**
 * UTF-8 without the platform. Text on this wire is short and nearly always ASCII, which has a fast path; bytes that are
 * not UTF-8 become U+FFFD, as there is no way to refuse a member because of an odd tag of its neighbour.
 */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  let i = start;
  while (i < end) {
    const first = bytes[i]!;
    if (first < 0x80) {
      text += String.fromCharCode(first);
      i++;
      continue;
    }
    const [codePoint, length] = sequence(bytes, i, end);
    text += String.fromCodePoint(codePoint);
    i += length;
  }
  return text;
}

/** One sequence of several bytes at i: its code point and length; U+FFFD and 1 for a byte that starts none. */
function sequence(bytes: Uint8Array, i: number, end: number): [number, number] {
  const first = bytes[i]!;
  const length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length === 0 || first >= 0xf5 || i + length > end) return [0xfffd, 1];
  let codePoint = first & (0x7f >> length);
  for (let k = 1; k < length; k++) {
    const next = bytes[i + k]!;
    if ((next & 0xc0) !== 0x80) return [0xfffd, 1];
    codePoint = (codePoint << 6) | (next & 0x3f);
  }
  const overlong = (length === 3 && codePoint < 0x800) || (length === 4 && codePoint < 0x1_0000);
  const surrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  if (overlong || surrogate || codePoint > 0x10_ffff) return [0xfffd, 1];
  return [codePoint, length];
}

export function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) length += 1;
    else if (unit < 0x800) length += 2;
    else if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(i + 1))) {
      length += 4;
      i++;
    } else length += 3;
  }
  return length;
}

/** Writes `text` at `offset`, where utf8Length(text) bytes must be free. A lone surrogate becomes U+FFFD. */
export function writeUtf8(text: string, target: Uint8Array, offset: number): void {
  let at = offset;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      target[at++] = unit;
    } else if (unit < 0x800) {
      target[at++] = 0xc0 | (unit >> 6);
      target[at++] = 0x80 | (unit & 0x3f);
    } else if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(i + 1))) {
      const codePoint = text.codePointAt(i)!;
      i++;
      target[at++] = 0xf0 | (codePoint >> 18);
      target[at++] = 0x80 | ((codePoint >> 12) & 0x3f);
      target[at++] = 0x80 | ((codePoint >> 6) & 0x3f);
      target[at++] = 0x80 | (codePoint & 0x3f);
    } else {
      const plain = isHighSurrogate(unit) || isLowSurrogate(unit) ? 0xfffd : unit;
      target[at++] = 0xe0 | (plain >> 12);
      target[at++] = 0x80 | ((plain >> 6) & 0x3f);
      target[at++] = 0x80 | (plain & 0x3f);
    }
  }
}

export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  writeUtf8(text, bytes, 0);
  return bytes;
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
