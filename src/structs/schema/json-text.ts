/** JSON text as Go's encoder writes it: compact, map keys sorted, what could end a script element escaped. */
import { encodeBase64 } from '../../std/base64.ts';

const special = /[<>&\u2028\u2029]/;
const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};
const specials = /[<>&\u2028\u2029]/g;

/** A JSON string literal, escaped as Go's encoder does by default. */
export function quote(text: string): string {
  const json = JSON.stringify(text);
  return special.test(json) ? json.replace(specials, (char) => escapes[char]!) : json;
}

/** The JSON text of any plain value: map keys sorted, bigints as numbers, strings escaped. */
export function jsonText(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return `"${encodeBase64(value)}"`;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  const entries = Object.entries(value as Record<string, unknown>).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, item]) => `${quote(key)}:${jsonText(item)}`).join(',')}}`;
}

/** Throws RangeError for what JSON has no number for. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`json: unsupported value: ${value}`);
  return String(value);
}
