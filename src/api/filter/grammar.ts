/**
 * The filter language: what it may say, and what is said about a text that is not of it.
 *
 *     expression = term { blank "or" blank term }          term  = factor { blank "and" blank factor }
 *     factor     = "not" blank factor | "(" expression ")" | match
 *     match      = selector [blank] ("==" | "!=") [blank] value
 *                | selector blank ("is" blank ["not" blank] "empty" | ["not" blank] ("contains" | "matches") blank value)
 *                | value blank ["not" blank] "in" blank selector
 *     selector   = name { "." name | "[" string "]" }
 *     value      = selector (its text) | number | string
 *
 * The grammar is a parsing expression grammar: the first alternative that fits wins, and an error names everything that
 * was tried at the furthest place any alternative reached. Four mistakes have texts of their own and end the parse at
 * once. Time is linear in the text: nothing is parsed twice but a selector that turns out to be a value.
 */
import { err, ok, type Result } from '../../std/result.ts';
import { unescapeGo } from './go-string.ts';

export type Operator =
  | 'Equal'
  | 'Not Equal'
  | 'Is Empty'
  | 'Is Not Empty'
  | 'In'
  | 'Not In'
  | 'Matches'
  | 'Not Matches';

export type Expression =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Expression[] }
  | { readonly kind: 'not'; readonly term: Expression }
  | {
      readonly kind: 'match';
      readonly selector: readonly string[];
      readonly operator: Operator;
      readonly value: string;
    };

/** Parentheses and `not`s inside of each other; a text that needs more is not one that a person wrote. */
const depthMax = 1000;

export function parseFilter(text: string): Result<Expression, string> {
  const parser = new Parser(text);
  try {
    const expression = parser.document();
    return expression === undefined ? err(parser.noMatch()) : ok(expression);
  } catch (error) {
    if (error instanceof Mistake) return err(error.message);
    throw error;
  }
}

class Mistake extends Error {}

const blank = '[ \\t\\r\\n]';
const letter = '[a-zA-Z]';
const nameCharacter = '[a-zA-Z0-9_]';

class Parser {
  readonly #text: string;
  #at = 0;
  #furthest = 0;
  #expected = new Set<string>();
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Expression | undefined {
    this.#blanks();
    const expression = this.#chain('or');
    if (expression === undefined) return undefined;
    this.#blanks();
    if (this.#at === this.#text.length) return expression;
    this.#fail('EOF');
    return undefined;
  }

  noMatch(): string {
    const atEnd = this.#expected.delete('EOF');
    const names = [...this.#expected].sort();
    if (atEnd) names.push('EOF');
    const last = names.pop()!;
    const list = names.length === 0 ? last : `${names.join(', ')} or ${last}`;
    return `${this.#position(this.#furthest)}: no match found, expected: ${list}`;
  }

  /** Terms joined by one keyword. What follows a complete term and does not fit is left to the caller. */
  #chain(keyword: 'or' | 'and'): Expression | undefined {
    const terms: Expression[] = [];
    let end = this.#at;
    for (;;) {
      const term = keyword === 'or' ? this.#chain('and') : this.#factor();
      if (term === undefined) break;
      terms.push(term);
      end = this.#at;
      if (!(this.#blanks() && this.#word(keyword) && this.#blanks())) break;
    }
    this.#at = end;
    if (terms.length === 0) return undefined;
    return terms.length === 1 ? terms[0] : { kind: keyword, terms };
  }

  #factor(): Expression | undefined {
    const start = this.#at;
    if (++this.#depth > depthMax) throw this.#mistake('grouping', 'Expression is nested too deeply', start);
    const found = this.#negation() ?? this.#grouping(start) ?? this.#match(start);
    this.#depth--;
    if (found === undefined) this.#at = start;
    return found;
  }

  #negation(): Expression | undefined {
    if (!(this.#word('not') && this.#blanks())) return undefined;
    const term = this.#factor();
    return term === undefined ? undefined : { kind: 'not', term };
  }

  #grouping(start: number): Expression | undefined {
    this.#at = start;
    if (!this.#word('(')) return undefined;
    this.#blanks();
    const inner = this.#chain('or');
    if (inner === undefined) return undefined;
    this.#blanks();
    if (this.#word(')')) return inner;
    throw this.#mistake('grouping', 'Unmatched parentheses', this.#at);
  }

  #match(start: number): Expression | undefined {
    this.#at = start;
    const selector = this.#selector();
    if (selector !== undefined) {
      const found = this.#afterSelector(selector);
      if (found !== undefined) return found;
    }
    this.#at = start;
    const value = this.#value();
    if (value === undefined || !this.#blanks()) return undefined;
    const negated = this.#notBefore();
    if (!this.#word('in') || !this.#blanks()) return undefined;
    const list = this.#selector();
    return list && { kind: 'match', selector: list, operator: negated ? 'Not In' : 'In', value };
  }

  #afterSelector(selector: readonly string[]): Expression | undefined {
    const start = this.#at;
    const spaced = this.#blanks();
    for (const [word, operator] of [
      ['==', 'Equal'],
      ['!=', 'Not Equal'],
    ] as const) {
      if (!this.#word(word)) continue;
      this.#blanks();
      const value = this.#value();
      return value === undefined ? undefined : { kind: 'match', selector, operator, value };
    }
    if (!spaced) return undefined;
    const words = this.#at;
    const found = this.#emptiness(selector);
    if (found !== undefined) return found;
    this.#at = words;
    const operator = this.#containsOrMatches();
    const value = operator === undefined || !this.#blanks() ? undefined : this.#value();
    if (operator !== undefined && value !== undefined) return { kind: 'match', selector, operator, value };
    this.#at = start;
    return undefined;
  }

  #emptiness(selector: readonly string[]): Expression | undefined {
    if (!this.#word('is') || !this.#blanks()) return undefined;
    const operator = this.#notBefore() ? 'Is Not Empty' : 'Is Empty';
    return this.#word('empty') ? { kind: 'match', selector, operator, value: '' } : undefined;
  }

  #containsOrMatches(): Operator | undefined {
    const negated = this.#notBefore();
    if (this.#word('contains')) return negated ? 'Not In' : 'In';
    if (this.#word('matches')) return negated ? 'Not Matches' : 'Matches';
    return undefined;
  }

  /** Takes `not` and the blanks behind it; takes nothing when both are not there. */
  #notBefore(): boolean {
    const start = this.#at;
    if (this.#word('not') && this.#blanks()) return true;
    this.#at = start;
    return false;
  }

  #selector(): string[] | undefined {
    const first = this.#name();
    if (first === undefined) return undefined;
    const path = [first];
    for (;;) {
      const start = this.#at;
      if (this.#word('.')) {
        const name = this.#name();
        if (name === undefined) {
          this.#at = start;
          return path;
        }
        path.push(name);
      } else if (this.#word('[')) {
        path.push(this.#index());
      } else {
        return path;
      }
    }
  }

  #index(): string {
    this.#blanks();
    const key = this.#string();
    if (key === undefined) throw this.#mistake('index', 'Invalid index', this.#at);
    this.#blanks();
    if (!this.#word(']')) throw this.#mistake('index', 'Unclosed index expression', this.#at);
    return key;
  }

  #name(): string | undefined {
    const start = this.#at;
    if (!this.#class(/[a-zA-Z]/, letter)) return undefined;
    while (this.#class(/[a-zA-Z0-9_]/, nameCharacter));
    return this.#text.slice(start, this.#at);
  }

  #value(): string | undefined {
    const selector = this.#selector();
    if (selector !== undefined) return selector.join('.');
    return this.#number() ?? this.#string();
  }

  #number(): string | undefined {
    const start = this.#at;
    this.#word('-');
    if (!this.#word('0')) {
      if (!this.#class(/[1-9]/, '[1-9]')) {
        this.#at = start;
        return undefined;
      }
      while (this.#class(/[0-9]/, '[0-9]'));
    }
    const whole = this.#at;
    if (this.#word('.') && this.#class(/[0-9]/, '[0-9]')) while (this.#class(/[0-9]/, '[0-9]'));
    else this.#at = whole;
    if (!this.#endOfNumber()) throw this.#mistake('number', 'Invalid number literal', this.#at);
    return this.#text.slice(start, this.#at);
  }

  #endOfNumber(): boolean {
    const end = this.#at;
    const found = this.#blanks() || this.#at === this.#text.length || this.#word(')');
    if (!found) this.#fail('EOF');
    this.#at = end;
    return found;
  }

  #string(): string | undefined {
    const start = this.#at;
    const delimiter = this.#word('`') ? '`' : this.#word('"') ? '"' : undefined;
    if (delimiter === undefined) return undefined;
    const end = this.#text.indexOf(delimiter, this.#at);
    if (end < 0) throw this.#mistake('string', 'Unterminated string literal', this.#text.length);
    const content = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    const value = delimiter === '`' ? content.replaceAll('\r', '') : unescapeGo(content);
    if (value === undefined) throw this.#mistake('string', 'invalid syntax', start);
    return value;
  }

  #blanks(): boolean {
    const start = this.#at;
    while (this.#class(/[ \t\r\n]/, blank));
    return this.#at > start;
  }

  #word(word: string): boolean {
    if (this.#text.startsWith(word, this.#at)) {
      this.#at += word.length;
      return true;
    }
    this.#fail(JSON.stringify(word));
    return false;
  }

  #class(pattern: RegExp, name: string): boolean {
    const c = this.#text[this.#at];
    if (c !== undefined && pattern.test(c)) {
      this.#at++;
      return true;
    }
    this.#fail(name);
    return false;
  }

  #fail(expected: string): void {
    if (this.#at < this.#furthest) return;
    if (this.#at > this.#furthest) {
      this.#furthest = this.#at;
      this.#expected.clear();
    }
    this.#expected.add(expected);
  }

  #mistake(rule: string, what: string, at: number): Mistake {
    return new Mistake(`${this.#position(at)}: rule "${rule}": ${what}`);
  }

  /** `line:column (offset)`: the column in characters from 1, the offset in bytes of UTF-8 from 0. */
  #position(at: number): string {
    const before = this.#text.slice(0, at);
    const lineStart = before.lastIndexOf('\n') + 1;
    const line = before.split('\n').length;
    return `${line}:${[...before.slice(lineStart)].length + 1} (${Buffer.byteLength(before)})`;
  }
}
