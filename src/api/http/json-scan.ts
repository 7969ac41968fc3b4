/**
 * A JSON reader that explains itself in the words of Go's encoding/json. It is slow beside JSON.parse and is asked only
 * when that one failed or would have rounded a number (see `go-json.ts`).
 *
 * Go reports the first byte at which a text stops being the beginning of some JSON value, and what it was reading then.
 */
import { JsonNumber, type JsonValue } from '../../std/json-value.ts';

/** Deeper nesting is refused, as Go refuses it. */
const depthMax = 10_000;
/** Longer whole numbers fit no field there is, and making a bigint of a megabyte of digits would hold the process. */
const wholeDigitsMax = 40;

class ScanError extends Error {}

export function scanJson(text: string): { value: JsonValue } | { error: string } {
  const scanner = new Scanner(text);
  try {
    return { value: scanner.document() };
  } catch (error) {
    if (error instanceof ScanError) return { error: error.message };
    throw error;
  }
}

type Container = { readonly list: JsonValue[] } | { readonly members: Record<string, JsonValue>; key: string };

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Containers are kept in a list and not on the call stack: a body of ten thousand brackets must not overflow it. */
  document(): JsonValue {
    this.#blanks();
    if (this.#at >= this.#text.length) throw new ScanError('EOF');
    const open: Container[] = [];
    for (;;) {
      let value = this.#valueOrOpen(open);
      while (value !== undefined) {
        const parent = open.at(-1);
        if (parent === undefined) return value;
        const closed = this.#addTo(parent, value);
        if (closed) {
          open.pop();
          value = 'list' in parent ? parent.list : parent.members;
        } else {
          value = undefined;
        }
      }
    }
  }

  /** A finished value; or undefined when a container was opened and its first element is next. */
  #valueOrOpen(open: Container[]): JsonValue | undefined {
    this.#blanks();
    const c = this.#text[this.#at];
    if (c !== '{' && c !== '[') return this.#scalar();
    if (open.length >= depthMax) throw new ScanError('exceeded max depth');
    this.#at++;
    this.#blanks();
    if (c === '[') {
      if (this.#take(']')) return [];
      open.push({ list: [] });
    } else {
      if (this.#take('}')) return {};
      open.push({ members: {}, key: this.#key() });
    }
    return undefined;
  }

  /** Puts a value into its container and reads the comma or the bracket behind it; true when the container ended. */
  #addTo(parent: Container, value: JsonValue): boolean {
    if ('list' in parent) parent.list.push(value);
    else define(parent.members, parent.key, value);
    this.#blanks();
    if (this.#take(',')) {
      if (!('list' in parent)) {
        this.#blanks();
        parent.key = this.#key();
      }
      return false;
    }
    if (this.#take('list' in parent ? ']' : '}')) return true;
    throw this.#unexpected('list' in parent ? 'after array element' : 'after object key:value pair');
  }

  #key(): string {
    if (this.#text[this.#at] !== '"') throw this.#unexpected('looking for beginning of object key string');
    const key = this.#string();
    this.#blanks();
    if (!this.#take(':')) throw this.#unexpected('after object key');
    return key;
  }

  #scalar(): JsonValue {
    const c = this.#text[this.#at];
    if (c === '"') return this.#string();
    if (c === 't') return this.#literal('true', true);
    if (c === 'f') return this.#literal('false', false);
    if (c === 'n') return this.#literal('null', null);
    if (c === '-' || (c !== undefined && c >= '0' && c <= '9')) return this.#number();
    throw this.#unexpected('looking for beginning of value');
  }

  #literal<T extends JsonValue>(word: string, value: T): T {
    for (let i = 1; i < word.length; i++) {
      this.#at++;
      if (this.#text[this.#at] !== word[i]) {
        throw this.#unexpected(`in literal ${word} (expecting ${quoteCharacter(word[i]!)})`);
      }
    }
    this.#at++;
    return value;
  }

  #number(): JsonValue {
    const start = this.#at;
    this.#take('-');
    if (!this.#take('0')) this.#digits('in numeric literal');
    let whole = true;
    if (this.#take('.')) {
      whole = false;
      this.#digits('after decimal point in numeric literal');
    }
    if (this.#take('e') || this.#take('E')) {
      whole = false;
      if (!this.#take('+')) this.#take('-');
      this.#digits('in exponent of numeric literal');
    }
    const text = this.#text.slice(start, this.#at);
    const value = Number(text);
    if (whole && Number.isSafeInteger(value)) return value;
    if (whole && text.length <= wholeDigitsMax) return BigInt(text);
    return Number.isInteger(value) || !Number.isFinite(value) ? new JsonNumber(text) : value;
  }

  #digits(where: string): void {
    if (!isDigit(this.#text[this.#at])) throw this.#unexpected(where);
    while (isDigit(this.#text[this.#at])) this.#at++;
  }

  #string(): string {
    let out = '';
    let escaped = false;
    let from = ++this.#at;
    for (;;) {
      const c = this.#text[this.#at];
      if (c === '"') {
        out += this.#text.slice(from, this.#at++);
        return escaped ? wellFormed(out) : out;
      }
      if (c === undefined || c < ' ') throw this.#unexpected('in string literal');
      if (c === '\\') {
        out += this.#text.slice(from, this.#at) + this.#escape();
        from = this.#at;
        escaped = true;
      } else {
        this.#at++;
      }
    }
  }

  #escape(): string {
    this.#at++;
    const c = this.#text[this.#at];
    if (c === 'u') {
      let code = 0;
      for (let i = 0; i < 4; i++) {
        this.#at++;
        const digit = this.#text[this.#at];
        if (digit === undefined || !/[0-9a-fA-F]/.test(digit))
          throw this.#unexpected('in \\u hexadecimal character escape');
        code = code * 16 + Number.parseInt(digit, 16);
      }
      this.#at++;
      return String.fromCharCode(code);
    }
    const plain = c === undefined ? undefined : escapes[c];
    if (plain === undefined) throw this.#unexpected('in string escape code');
    this.#at++;
    return plain;
  }

  #blanks(): void {
    for (;;) {
      const c = this.#text[this.#at];
      if (c !== ' ' && c !== '\t' && c !== '\n' && c !== '\r') return;
      this.#at++;
    }
  }

  #take(c: string): boolean {
    if (this.#text[this.#at] !== c) return false;
    this.#at++;
    return true;
  }

  #unexpected(where: string): ScanError {
    const c = this.#text[this.#at];
    if (c === undefined) return new ScanError('unexpected EOF');
    return new ScanError(`invalid character ${quoteCharacter(c)} ${where}`);
  }
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

const isDigit = (c: string | undefined): boolean => c !== undefined && c >= '0' && c <= '9';

/** Half a surrogate pair becomes U+FFFD. */
const wellFormed = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');

/** Sets a member even when its name is `__proto__`. */
function define(members: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key === '__proto__')
    Object.defineProperty(members, key, { value, enumerable: true, writable: true, configurable: true });
  else members[key] = value;
}

/** The character in single quotes as Go prints it. Go sees bytes: of a character beyond ASCII only the first one. */
function quoteCharacter(c: string): string {
  if (c === "'") return "'\\''";
  if (c === '"') return "'\"'";
  const byte = c < '\x80' ? c : String.fromCharCode(Buffer.from(c, 'utf8')[0]!);
  return `'${named[byte] ?? (isPlain(byte) ? byte : hexEscape(byte))}'`;
}
const named: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};
const isPlain = (c: string): boolean => (c >= ' ' && c < '\x7f') || (c > '\xa0' && c !== '\xad');
const hexEscape = (c: string): string =>
  c < '\x80'
    ? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`
    : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
