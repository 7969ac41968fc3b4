/**
 * HCL, version 1: the language of agent files, config entries and ACL rules. HCL 2 is another language (it refuses a
 * quoted attribute name, an attribute given twice, and reads `${}`), so a converter for it cannot read these files.
 *
 * Reading gives plain values. A key followed by `{…}` (with or without `=`) is an object; the same key again makes a
 * list of the objects, in order; a scalar given again replaces the earlier one; several keys before `{` nest. Whoever
 * decodes decides whether a list was wanted.
 */
import { err, ok, type Result } from './result.ts';

export type HclValue = string | number | boolean | HclValue[] | HclObject;
export interface HclObject {
  [key: string]: HclValue;
}

/** The error is `At <line>:<column>: <what>`, both from 1. */
export function parseHcl(text: string): Result<HclObject, string> {
  const source: Source = { text, at: 0, depth: 0 };
  try {
    const object = readItems(source, false);
    return ok(object);
  } catch (error) {
    if (error instanceof HclError) return err(`At ${position(text, error.at)}: ${error.message}`);
    throw error;
  }
}

/** Deeper nesting than this is refused rather than left to the stack. */
const depthMax = 200;

interface Source {
  readonly text: string;
  at: number;
  depth: number;
}

type TokenKind =
  | 'EOF'
  | 'IDENT'
  | 'STRING'
  | 'HEREDOC'
  | 'NUMBER'
  | 'FLOAT'
  | 'BOOL'
  | 'LBRACE'
  | 'RBRACE'
  | 'LBRACK'
  | 'RBRACK'
  | 'COMMA'
  | 'ASSIGN';

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly value: HclValue;
  readonly at: number;
}

class HclError extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

function position(text: string, at: number): string {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n') + (at >= text.length ? 1 : 0);
  return `${line}:${column}`;
}

function readItems(source: Source, nested: boolean): HclObject {
  const object: HclObject = Object.create(null) as HclObject;
  if (++source.depth > depthMax) throw new HclError(`nested deeper than ${depthMax} levels`, source.at);
  for (;;) {
    const token = next(source);
    if (token.kind === 'COMMA' && nested) continue;
    if (token.kind === 'EOF' && !nested) break;
    if (token.kind === 'RBRACE' && nested) break;
    if (token.kind === 'EOF') throw new HclError('object expected closing RBRACE got: EOF', token.at);
    if (token.kind !== 'IDENT' && token.kind !== 'STRING') {
      throw new HclError(`expected: IDENT | STRING got: ${token.kind}`, token.at);
    }
    readItem(source, object, token, nested);
  }
  source.depth--;
  return object;
}

/** One `key = value`, `key { … }` or `key "label" { … }`. */
function readItem(source: Source, object: HclObject, first: Token, nested: boolean): void {
  const keys = [String(first.value)];
  for (;;) {
    const token = next(source);
    if (token.kind === 'ASSIGN') {
      if (keys.length > 1) throw new HclError('nested object expected: LBRACE got: ASSIGN', token.at);
      const value = next(source);
      if (value.kind === 'EOF' && nested) {
        throw new HclError('object expected closing RBRACE got: EOF', value.at);
      }
      put(object, keys, readValue(source, value), value.kind === 'LBRACE');
      return;
    }
    if (token.kind === 'LBRACE') {
      put(object, keys, readItems(source, true), true);
      return;
    }
    if (token.kind !== 'IDENT' && token.kind !== 'STRING') {
      const wanted = keys.length > 1 ? 'nested object expected: LBRACE' : 'expected: IDENT | STRING | ASSIGN | LBRACE';
      throw new HclError(`${wanted} got: ${token.kind}`, token.at);
    }
    keys.push(String(token.value));
  }
}

function put(object: HclObject, keys: readonly string[], value: HclValue, isObject: boolean): void {
  const key = keys[0]!;
  let entry = value;
  for (let i = keys.length - 1; i > 0; i--) {
    const outer = Object.create(null) as HclObject;
    outer[keys[i]!] = entry;
    entry = outer;
  }
  const present = object[key];
  if (!isObject || present === undefined || typeof present !== 'object') object[key] = entry;
  else object[key] = Array.isArray(present) ? [...present, entry] : [present, entry];
}

function readValue(source: Source, token: Token): HclValue {
  switch (token.kind) {
    case 'STRING':
    case 'HEREDOC':
    case 'NUMBER':
    case 'FLOAT':
    case 'BOOL':
      return token.value;
    case 'LBRACE':
      return readItems(source, true);
    case 'LBRACK':
      return readList(source);
    default:
      throw new HclError(`Unknown token: ${position(source.text, token.at)} ${token.kind} ${token.text}`, token.at);
  }
}

function readList(source: Source): HclValue[] {
  const list: HclValue[] = [];
  if (++source.depth > depthMax) throw new HclError(`nested deeper than ${depthMax} levels`, source.at);
  let needComma = false;
  for (;;) {
    const token = next(source);
    if (token.kind === 'RBRACK') break;
    if (token.kind === 'COMMA') {
      if (!needComma) throw new HclError('error parsing list, unexpected COMMA', token.at);
      needComma = false;
      continue;
    }
    if (needComma) {
      throw new HclError(`error parsing list, expected comma or list end, got: ${token.kind}`, token.at);
    }
    if (token.kind === 'EOF' || token.kind === 'IDENT' || token.kind === 'ASSIGN' || token.kind === 'RBRACE') {
      throw new HclError(`unexpected token while parsing list: ${token.kind}`, token.at);
    }
    list.push(readValue(source, token));
    needComma = true;
  }
  source.depth--;
  return list;
}

const punctuation: Readonly<Record<string, TokenKind>> = {
  '{': 'LBRACE',
  '}': 'RBRACE',
  '[': 'LBRACK',
  ']': 'RBRACK',
  ',': 'COMMA',
  '=': 'ASSIGN',
};

function next(source: Source): Token {
  skipBlank(source);
  const { text } = source;
  const at = source.at;
  const char = text[at];
  if (char === undefined) return { kind: 'EOF', text: '', value: '', at };
  const mark = punctuation[char];
  if (mark !== undefined) {
    source.at++;
    return { kind: mark, text: char, value: char, at };
  }
  if (char === '"') return readString(source);
  if (char === '<') return readHeredoc(source);
  const number = /^-?(0[xX][0-9a-fA-F]+|\d+(\.\d+)?([eE][+-]?\d+)?)/.exec(text.slice(at, at + 64));
  if (number !== null) {
    source.at += number[0].length;
    return numberToken(number[0], at);
  }
  const word = /^[\p{L}_][\p{L}\p{Nd}_.-]*/u.exec(text.slice(at, at + 4096));
  if (word === null) throw new HclError(`illegal character`, at);
  source.at += word[0].length;
  if (word[0] === 'true' || word[0] === 'false') {
    return { kind: 'BOOL', text: word[0], value: word[0] === 'true', at };
  }
  return { kind: 'IDENT', text: word[0], value: word[0], at };
}

/** Whole numbers as Go's base 0 reads them: `0x1f` is hexadecimal, `017` octal. */
function numberToken(text: string, at: number): Token {
  const digits = text.replace('-', '');
  const sign = text.startsWith('-') ? -1 : 1;
  if (/[.eE]/.test(digits) && !/^0[xX]/.test(digits)) return { kind: 'FLOAT', text, value: sign * Number(digits), at };
  if (/^0\d+$/.test(digits)) {
    if (/[89]/.test(digits)) throw new HclError(`cannot parse ${text}: illegal octal number`, at);
    return { kind: 'NUMBER', text, value: sign * Number.parseInt(digits, 8), at };
  }
  return { kind: 'NUMBER', text, value: sign * Number(digits), at };
}

function skipBlank(source: Source): void {
  const { text } = source;
  for (;;) {
    while (/[\s\uFEFF]/.test(text[source.at] ?? '-')) source.at++;
    if (text[source.at] === '#' || text.startsWith('//', source.at)) {
      const end = text.indexOf('\n', source.at);
      source.at = end === -1 ? text.length : end;
    } else if (text.startsWith('/*', source.at)) {
      const end = text.indexOf('*/', source.at + 2);
      if (end === -1) throw new HclError('comment not terminated', source.at);
      source.at = end + 2;
    } else return;
  }
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** A quoted string. What stands inside `${…}` is kept as written, quotes included. */
function readString(source: Source): Token {
  const { text } = source;
  const start = source.at;
  let at = start + 1;
  let value = '';
  let braces = 0;
  for (;;) {
    const char = text[at];
    if (char === undefined || (char === '\n' && braces === 0)) throw new HclError('literal not terminated', start);
    if (braces === 0 && char === '"') break;
    if (braces === 0 && char === '\\') {
      const [piece, length] = unescapeAt(text, at);
      value += piece;
      at += length;
      continue;
    }
    if (braces === 0 && text.startsWith('${', at)) {
      braces = 1;
      value += '${';
      at += 2;
      continue;
    }
    if (braces > 0) braces += char === '{' ? 1 : char === '}' ? -1 : 0;
    value += char;
    at++;
  }
  source.at = at + 1;
  return { kind: 'STRING', text: text.slice(start, source.at), value, at: start };
}

function unescapeAt(text: string, at: number): [string, number] {
  const char = text[at + 1] ?? '';
  const simple = escapes[char];
  if (simple !== undefined) return [simple, 2];
  const coded = /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/.exec(text.slice(at, at + 10));
  const digits = coded?.[1] ?? coded?.[2] ?? coded?.[3];
  const point = digits !== undefined ? Number.parseInt(digits, 16) : Number.parseInt(coded?.[4] ?? '', 8);
  if (coded === null || !(point <= 0x10ffff)) throw new HclError('illegal char escape', at);
  return [String.fromCodePoint(point), coded[0].length];
}

/** `<<EOF` keeps the lines as they are, `<<-EOF` takes away the indent of the closing word. */
function readHeredoc(source: Source): Token {
  const start = source.at;
  const head = /^<<(-?)([\p{L}\p{Nd}_]+)\r?\n/u.exec(source.text.slice(start, start + 256));
  if (head === null) throw new HclError('heredoc anchor not found', start);
  const body = source.text.slice(start + head[0].length);
  const end = new RegExp(`(^|\\n)(${head[1] === '-' ? '[ \\t]*' : ''})${head[2]}(?=\\r?\\n|$)`, 'u').exec(body);
  if (end === null) throw new HclError('heredoc not terminated', start);
  const content = body.slice(0, end.index + end[1]!.length);
  source.at = start + head[0].length + end.index + end[0].length;
  const indent = end[2]!;
  const value =
    head[1] === '-' && content.split('\n').every((line) => line === '' || line.startsWith(indent))
      ? content
          .split('\n')
          .map((line) => line.slice(indent.length))
          .join('\n')
      : content;
  return { kind: 'HEREDOC', text: source.text.slice(start, source.at), value, at: start };
}
