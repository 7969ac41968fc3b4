/**
 * Regular expressions of RE2's syntax, read into a tree. No look-around and no back-references: what is left can be
 * matched in time that grows with the text, whatever the pattern (see `program.ts`), so a stranger's pattern is harmless.
 *
 * Captures are read as plain groups, greedy and lazy operators alike: only whether there is a match is asked. Error texts
 * are Go's.
 */
import {
  type CharSet,
  caseFolded,
  namedClass,
  perlClass,
  posixClass,
  ranges,
  unicodeClass,
  union,
} from './char-set.ts';

export type Assertion = 'textStart' | 'textEnd' | 'lineStart' | 'lineEnd' | 'wordBoundary' | 'noWordBoundary';

export type Tree =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'cat' | 'alt'; readonly items: readonly Tree[] }
  | { readonly kind: 'repeat'; readonly item: Tree; readonly min: number; readonly max: number };

export class RegexpError extends Error {
  constructor(what: string, where: string) {
    super(`error parsing regexp: ${what}: \`${where}\``);
  }
}

const repeatMax = 1000;
const depthMax = 1000;

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
}

export function parseRegexp(pattern: string): Tree {
  return new Parser(pattern).whole();
}

class Parser {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;
  #flags: Flags = { ignoreCase: false, multiLine: false, dotAll: false };

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  whole(): Tree {
    const tree = this.#alternatives();
    if (this.#at < this.#pattern.length) throw new RegexpError('unexpected )', this.#pattern);
    return tree;
  }

  #alternatives(): Tree {
    if (++this.#depth > depthMax) throw new RegexpError('expression nests too deeply', this.#pattern);
    const items = [this.#sequence()];
    while (this.#take('|')) items.push(this.#sequence());
    this.#depth--;
    return items.length === 1 ? items[0]! : { kind: 'alt', items };
  }

  #sequence(): Tree {
    const items: Tree[] = [];
    let lastOperator = -1;
    while (this.#at < this.#pattern.length && !this.#sees('|') && !this.#sees(')')) {
      const start = this.#at;
      const repeat = this.#repeat();
      if (repeat === undefined) {
        const added = this.#atoms();
        items.push(...added);
        lastOperator = -1;
        if (added.length === 0) lastOperator = -2;
        continue;
      }
      if (lastOperator >= 0) {
        throw new RegexpError('invalid nested repetition operator', this.#pattern.slice(lastOperator, this.#at));
      }
      const item = lastOperator === -2 ? undefined : items.pop();
      if (item === undefined) {
        throw new RegexpError('missing argument to repetition operator', this.#pattern.slice(start, this.#at));
      }
      lastOperator = start;
      this.#take('?');
      items.push({ kind: 'repeat', item, ...repeat });
    }
    if (items.length === 0) return { kind: 'empty' };
    return items.length === 1 ? items[0]! : { kind: 'cat', items };
  }

  #repeat(): { min: number; max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take('?')) return { min: 0, max: 1 };
    const counted = this.#match(/\{(\d+)(?:(,)(\d*))?\}/y);
    if (counted === undefined) return undefined;
    const min = Number(counted[1]);
    const max = counted[2] === undefined ? min : counted[3] === '' ? Number.POSITIVE_INFINITY : Number(counted[3]);
    if (min > repeatMax || (max !== Number.POSITIVE_INFINITY && max > repeatMax) || min > max) {
      throw new RegexpError('invalid repeat count', counted[0]!);
    }
    return { min, max };
  }

  /** One thing that can be repeated; nothing for a group that only sets flags, several for `\Q…\E`. */
  #atoms(): Tree[] {
    const c = this.#character();
    switch (c) {
      case '(':
        return this.#group();
      case '[':
        return [{ kind: 'set', set: this.#folded(this.#bracket()) }];
      case '.':
        return [{ kind: 'set', set: this.#flags.dotAll ? everything : notNewline }];
      case '^':
        return [{ kind: 'assert', assertion: this.#flags.multiLine ? 'lineStart' : 'textStart' }];
      case '$':
        return [{ kind: 'assert', assertion: this.#flags.multiLine ? 'lineEnd' : 'textEnd' }];
      case '\\':
        return this.#escaped();
      default:
        return [this.#literal(c)];
    }
  }

  #literal(c: string): Tree {
    const code = c.codePointAt(0)!;
    return { kind: 'set', set: this.#folded(ranges([[code, code]])) };
  }

  #folded(set: CharSet): CharSet {
    return this.#flags.ignoreCase ? caseFolded(set) : set;
  }

  #group(): Tree[] {
    const outer = this.#flags;
    if (this.#sees('?')) {
      if (this.#namedGroup()) return [this.#closed(outer)];
      const flags = this.#flagGroup();
      this.#flags = flags.flags;
      if (flags.closed) return [];
    }
    return [this.#closed(outer)];
  }

  #closed(outer: Flags): Tree {
    const tree = this.#alternatives();
    if (!this.#take(')')) throw new RegexpError('missing closing )', this.#pattern);
    this.#flags = outer;
    return tree;
  }

  #namedGroup(): boolean {
    const start = this.#at - 1;
    if (this.#match(/\?P?</y) === undefined) return false;
    const name = this.#match(/([^>]*)>/y);
    if (name === undefined) throw new RegexpError('invalid named capture', this.#pattern.slice(start));
    if (!/^\w+$/.test(name[1]!)) throw new RegexpError('invalid named capture', this.#pattern.slice(start, this.#at));
    return true;
  }

  #flagGroup(): { flags: Flags; closed: boolean } {
    const start = this.#at - 1;
    this.#at++;
    const flags = { ...this.#flags };
    let value = true;
    let counted = 0;
    for (;;) {
      const c = this.#pattern[this.#at++];
      if (c === undefined) throw new RegexpError('missing closing )', this.#pattern);
      const name = ({ i: 'ignoreCase', m: 'multiLine', s: 'dotAll' } as const)[c];
      if (name !== undefined) {
        flags[name] = value;
        counted++;
      } else if (c === 'U') counted++;
      else if (c === '-' && value) {
        value = false;
        counted = 0;
      } else if ((c === ')' || c === ':') && (value || counted > 0)) return { flags, closed: c === ')' };
      else throw new RegexpError('invalid or unsupported Perl syntax', this.#pattern.slice(start, this.#at));
    }
  }

  #escaped(): Tree[] {
    const c = this.#pattern[this.#at];
    const assertion = c === undefined ? undefined : assertions[c];
    if (assertion !== undefined) {
      this.#at++;
      return [{ kind: 'assert', assertion }];
    }
    if (c === 'Q') {
      this.#at++;
      const end = this.#pattern.indexOf('\\E', this.#at);
      const quoted = this.#pattern.slice(this.#at, end < 0 ? undefined : end);
      this.#at = end < 0 ? this.#pattern.length : end + 2;
      return [...quoted].map((character) => this.#literal(character));
    }
    const set = this.#classEscape();
    if (set !== undefined) return [{ kind: 'set', set: this.#folded(set) }];
    return [this.#literal(String.fromCodePoint(this.#codeEscape()))];
  }

  /** `\d`, `\pL`, `\p{Greek}`, `\p{^Greek}`; the backslash is behind us. */
  #classEscape(): CharSet | undefined {
    const start = this.#at - 1;
    const perl = this.#match(/[dDsSwW]/y);
    if (perl !== undefined) return perlClass(perl[0]!);
    const unicode = this.#match(/([pP])(?:\{(\^?)([^}]*)\}|(.))/uy);
    if (unicode === undefined) {
      if (this.#match(/[pP]/y) !== undefined) {
        throw new RegexpError('invalid character class range', this.#pattern.slice(start));
      }
      return undefined;
    }
    const negated = (unicode[1] === 'P') !== (unicode[2] === '^');
    const set = unicodeClass(unicode[3] ?? unicode[4] ?? '', negated);
    if (set === undefined) throw new RegexpError('invalid character class range', this.#pattern.slice(start, this.#at));
    return set;
  }

  /** A code point written with a backslash, which is behind us. */
  #codeEscape(): number {
    const start = this.#at - 1;
    if (this.#at >= this.#pattern.length) throw new RegexpError('trailing backslash at end of expression', '');
    const octal = this.#match(/0[0-7]{0,2}|[1-7][0-7]{1,2}/y);
    if (octal !== undefined) return Number.parseInt(octal[0]!, 8);
    const hex = this.#match(/x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]+)\})/y);
    const code = hex === undefined ? undefined : Number.parseInt(hex[1] ?? hex[2]!, 16);
    if (code !== undefined && code <= 0x10_ffff) return code;
    if (hex === undefined) {
      const c = this.#character();
      const control = controls[c];
      if (control !== undefined) return control;
      if (c < '\x80' && !/[0-9a-zA-Z]/.test(c)) return c.codePointAt(0)!;
    }
    throw new RegexpError('invalid escape sequence', this.#pattern.slice(start, this.#at));
  }

  /** A class in brackets; the opening one is behind us. */
  #bracket(): CharSet {
    const start = this.#at - 1;
    const negated = this.#take('^');
    const parts: CharSet[] = [];
    for (let first = true; first || !this.#sees(']'); first = false) {
      if (this.#at >= this.#pattern.length) throw new RegexpError('missing closing ]', this.#pattern.slice(start));
      const set = this.#posix() ?? (this.#sees('\\') ? this.#classInBracket() : undefined);
      parts.push(set ?? this.#range(start));
    }
    this.#at++;
    return union(parts, negated);
  }

  #classInBracket(): CharSet | undefined {
    const start = this.#at++;
    const set = this.#classEscape();
    if (set === undefined) this.#at = start;
    return set;
  }

  #posix(): CharSet | undefined {
    const found = this.#match(/\[:(\^?)(.*?):\]/sy);
    if (found === undefined) return undefined;
    const set = posixClass(found[2]!, found[1] === '^');
    if (set === undefined) throw new RegexpError('invalid character class range', found[0]!);
    return set;
  }

  #range(bracket: number): CharSet {
    const start = this.#at;
    const low = this.#classCharacter(bracket);
    let high = low;
    if (this.#sees('-') && this.#pattern[this.#at + 1] !== ']' && this.#at + 1 < this.#pattern.length) {
      this.#at++;
      high = this.#classCharacter(bracket);
      if (high < low) throw new RegexpError('invalid character class range', this.#pattern.slice(start, this.#at));
    }
    return ranges([[low, high]]);
  }

  #classCharacter(bracket: number): number {
    if (this.#at >= this.#pattern.length) throw new RegexpError('missing closing ]', this.#pattern.slice(bracket));
    if (this.#take('\\')) return this.#codeEscape();
    return this.#character().codePointAt(0)!;
  }

  #character(): string {
    const c = String.fromCodePoint(this.#pattern.codePointAt(this.#at)!);
    this.#at += c.length;
    return c;
  }

  #sees(c: string): boolean {
    return this.#pattern[this.#at] === c;
  }

  #take(c: string): boolean {
    if (!this.#sees(c)) return false;
    this.#at++;
    return true;
  }

  /** `form` must be sticky. */
  #match(form: RegExp): RegExpExecArray | undefined {
    form.lastIndex = this.#at;
    const found = form.exec(this.#pattern);
    if (found === null) return undefined;
    this.#at += found[0].length;
    return found;
  }
}

const everything = namedClass(() => true);
const notNewline = namedClass((code) => code !== 0x0a);

const assertions: Readonly<Record<string, Assertion>> = {
  A: 'textStart',
  z: 'textEnd',
  b: 'wordBoundary',
  B: 'noWordBoundary',
};
const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
