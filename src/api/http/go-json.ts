/**
 * JSON as Consul's clients know it from Go's encoding/json: the same error texts for broken input, whole numbers beyond
 * 2^53 kept exactly, `<`, `>` and `&` escaped in output.
 *
 * Nearly every body is well formed and holds small numbers, so the platform's parser does the work, and `json-scan.ts`
 * reads again only what it refused or would have rounded.
 */
import { randomUUID } from 'node:crypto';
import type { JsonValue } from '../../std/json-value.ts';
import { err, ok, type Result } from '../../std/result.ts';
import { scanJson } from './json-scan.ts';

export { JsonNumber, type JsonValue } from '../../std/json-value.ts';

/**
 * Reads the first JSON value of a text; what follows it is ignored, as a Go decoder of a stream does. Errors are Go's:
 * `EOF` for a blank text, `unexpected EOF` for one that ends too early, else `invalid character …`.
 */
export function parseJson(text: string): Result<JsonValue, string> {
  if (!needsScan.test(text)) {
    try {
      return ok(JSON.parse(text, undefined) as JsonValue);
    } catch {
      // The scanner knows why, and in Go's words.
    }
  }
  const result = scanJson(text);
  return 'error' in result ? err(result.error) : ok(result.value);
}

/**
 * What JSON.parse would read with loss: a number of 16 digits or with an exponent or fraction, a lone surrogate, and
 * the key `__proto__`. It may match inside of a string too; then the scanner reads a text that needed no care.
 */
const needsScan = /(?:^|[:[,\s])-?(?:\d{16}|\d+[eE.])|\\u[dD][89a-fA-F]|__proto__/;

/** Compact JSON. Bigints are written as numbers, and the three characters that HTML would read are escaped. */
export function encodeJson(value: unknown): string {
  return escapeHtml(stringify(value));
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError) || !/BigInt/.test(error.message)) throw error;
  }
  // The mark is new each time: no client can write it into a value.
  const mark = randomUUID();
  const marked = JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? mark + member : member));
  return marked.replace(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1');
}

const htmlCharacters = /[<>&\u2028\u2029]/;
function escapeHtml(json: string): string {
  if (!htmlCharacters.test(json)) return json;
  return json.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Lays compact JSON out with four blanks a level and a final newline, without reading its values (numbers stay exact). */
export function indentJson(compact: string): string {
  let out = '';
  let depth = 0;
  let inString = false;
  for (let i = 0; i < compact.length; i++) {
    const c = compact[i]!;
    if (inString) {
      const end = endOfString(compact, i);
      out += compact.slice(i, end);
      i = end - 1;
      inString = false;
    } else if (c === '"') {
      out += c;
      inString = true;
    } else if ((c === '{' && compact[i + 1] === '}') || (c === '[' && compact[i + 1] === ']')) {
      out += c + compact[++i];
    } else if (c === '{' || c === '[') {
      out += `${c}\n${'    '.repeat(++depth)}`;
    } else if (c === '}' || c === ']') {
      out += `\n${'    '.repeat(--depth)}${c}`;
    } else if (c === ',') {
      out += `,\n${'    '.repeat(depth)}`;
    } else {
      out += c === ':' ? ': ' : c;
    }
  }
  return `${out}\n`;
}

/** Index behind the closing quote of the string whose content starts at `from`. */
function endOfString(text: string, from: number): number {
  let i = from;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}
