/** Base64 (RFC 4648 §4, standard alphabet, padded) without a platform: pure rooms have no Buffer. */
import { err, ok, type Result } from './result.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const codes = Uint8Array.from(alphabet, (char) => char.charCodeAt(0));
const values = new Int16Array(128).fill(-1);
for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;

/** Characters of a piece: so many arguments a call surely takes. */
const piece = new Uint8Array(4096);

export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  let i = 0;
  let filled = 0;
  for (; i + 2 < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    piece[filled++] = codes[group >> 18]!;
    piece[filled++] = codes[(group >> 12) & 63]!;
    piece[filled++] = codes[(group >> 6) & 63]!;
    piece[filled++] = codes[group & 63]!;
    if (filled === piece.length) {
      text += textOf(piece);
      filled = 0;
    }
  }
  if (filled > 0) text += textOf(piece.subarray(0, filled));
  const left = bytes.length - i;
  if (left === 1) text += `${alphabet[bytes[i]! >> 2]}${alphabet[(bytes[i]! & 3) << 4]}==`;
  if (left === 2) {
    const group = (bytes[i]! << 8) | bytes[i + 1]!;
    text += `${alphabet[group >> 10]}${alphabet[(group >> 4) & 63]}${alphabet[(group & 15) << 2]}=`;
  }
  return text;
}

/** In one piece: a text grown character by character costs ten times its bytes. */
function textOf(ascii: Uint8Array): string {
  return String.fromCharCode.apply(undefined, ascii as unknown as number[]);
}

/** Strict: padding required, line breaks skipped as Go does. The error carries the offset of the first bad byte. */
export function decodeBase64(text: string): Result<Uint8Array, string> {
  const illegal = (at: number) => err(`illegal base64 data at input byte ${at}`);
  const out = new Uint8Array(Math.floor((text.length * 3) / 4) + 3);
  let length = 0;
  let bits = 0;
  let count = 0;
  let padding = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\n' || char === '\r') continue;
    if (char === '=') {
      if (count + padding < 2 || count + padding > 3) return illegal(i);
      padding++;
      continue;
    }
    const value = text.charCodeAt(i) < 128 ? values[text.charCodeAt(i)]! : -1;
    if (value < 0 || padding > 0) return illegal(i);
    bits = (bits << 6) | value;
    count++;
    if (count === 4) {
      out[length++] = (bits >> 16) & 255;
      out[length++] = (bits >> 8) & 255;
      out[length++] = bits & 255;
      bits = 0;
      count = 0;
    }
  }
  if (count === 0 && padding === 0) return ok(out.slice(0, length));
  // Go names the group that is not whole, or the place where its padding should go on.
  if (count + padding !== 4) return illegal(padding === 0 ? text.length - count : text.length);
  if (count === 2) out[length++] = (bits >> 4) & 255;
  if (count === 3) {
    out[length++] = (bits >> 10) & 255;
    out[length++] = (bits >> 2) & 255;
  }
  return ok(out.slice(0, length));
}
