/**
 * Reads RE2's syntax (what Go programs write) into an automaton. What JavaScript has and RE2 has not, such as back
 * references and look-around, is refused; so is what would become too large.
 */
import { type CharSet, type Node, positive, wordSet } from './automaton.ts';

const sourceLengthMax = 1_000;
const nodesMax = 5_000;
const repeatMax = 1_000;
const unset = -1;

/** A piece of automaton under construction: where it starts, and which links still dangle. */
interface Piece {
  readonly start: number;
  readonly ends: readonly ((target: number) => void)[];
}

const code = (char: string): number => char.codePointAt(0)!;
const digit = positive([0x30, 0x39]);
const word = wordSet;
const space = positive([9, 10], [12, 13], [32, 32]);
const upper = positive([0x41, 0x5a]);
const lower = positive([0x61, 0x7a]);
const everything: CharSet = { ranges: [], negated: true };
const anyButNewline: CharSet = { ranges: [[10, 10]], negated: true };
const escapes: Readonly<Record<string, CharSet>> = { d: digit, w: word, s: space };
const controls: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11, a: 7 };
const posix: Readonly<Record<string, CharSet>> = {
  alpha: positive([0x41, 0x5a], [0x61, 0x7a]),
  digit,
  alnum: positive([0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a]),
  upper,
  lower,
  space,
  word,
};

const negate = (set: CharSet): CharSet => ({ ranges: set.ranges, negated: !set.negated });

class BadExpression extends Error {}

/** undefined when the text is no expression, uses what has no meaning here (back references), or is too large. */
export function parseExpression(source: string): { nodes: readonly Node[]; start: number } | undefined {
  if (source.length > sourceLengthMax) return undefined;
  try {
    return new Parser(source).parse();
  } catch (error) {
    if (error instanceof BadExpression) return undefined;
    throw error;
  }
}

/** Recursive descent: alternatives of sequences of repeated atoms. */
class Parser {
  private readonly source: readonly string[];
  private at = 0;
  private readonly nodes: Node[] = [];
  private ignoreCase = false;
  private dotAll = false;

  constructor(source: string) {
    this.source = [...source];
  }

  parse(): { nodes: readonly Node[]; start: number } {
    const piece = this.alternatives();
    if (this.at < this.source.length) throw new BadExpression('unbalanced parenthesis');
    const match = this.add({ kind: 'match' });
    for (const link of piece.ends) link(match);
    return { nodes: this.nodes, start: piece.start };
  }

  private add(node: Node): number {
    if (this.nodes.length >= nodesMax) throw new BadExpression('too large');
    return this.nodes.push(node) - 1;
  }

  private peek(offset = 0): string | undefined {
    return this.source[this.at + offset];
  }

  private eat(char: string): boolean {
    if (this.peek() !== char) return false;
    this.at++;
    return true;
  }

  private alternatives(): Piece {
    const branches = [this.sequence()];
    while (this.eat('|')) branches.push(this.sequence());
    if (branches.length === 1) return branches[0]!;
    const start = this.add({ kind: 'split', targets: branches.map((branch) => branch.start) });
    return { start, ends: branches.flatMap((branch) => branch.ends) };
  }

  private sequence(): Piece {
    let piece = this.empty();
    for (let char = this.peek(); char !== undefined && char !== '|' && char !== ')'; char = this.peek()) {
      piece = this.concat(piece, this.repeated());
    }
    return piece;
  }

  private empty(): Piece {
    const targets: number[] = [];
    return { start: this.add({ kind: 'split', targets }), ends: [(target) => targets.push(target)] };
  }

  private concat(first: Piece, second: Piece): Piece {
    for (const link of first.ends) link(second.start);
    return { start: first.start, ends: second.ends };
  }

  /** An atom and its quantifier. A bounded repeat parses its atom again, once for each copy. */
  private repeated(): Piece {
    const from = this.at;
    const flags = { ignoreCase: this.ignoreCase, dotAll: this.dotAll };
    const atom = this.atom();
    const bounds = this.quantifier();
    if (bounds === undefined) return atom;
    const after = this.at;
    const again = (): Piece => {
      this.at = from;
      Object.assign(this, flags);
      return this.atom();
    };
    let piece: Piece = this.empty();
    let spare: Piece | undefined = atom;
    const take = (): Piece => {
      const next = spare ?? again();
      spare = undefined;
      return next;
    };
    for (let i = 0; i < bounds.min; i++) piece = this.concat(piece, take());
    if (bounds.max === undefined) piece = this.concat(piece, this.star(take()));
    else for (let i = bounds.min; i < bounds.max; i++) piece = this.concat(piece, this.optional(take()));
    this.at = after;
    return piece;
  }

  private star(piece: Piece): Piece {
    const targets = [piece.start];
    const split = this.add({ kind: 'split', targets });
    for (const link of piece.ends) link(split);
    return { start: split, ends: [(target) => targets.push(target)] };
  }

  private optional(piece: Piece): Piece {
    const targets = [piece.start];
    const split = this.add({ kind: 'split', targets });
    return { start: split, ends: [...piece.ends, (target) => targets.push(target)] };
  }

  private quantifier(): { min: number; max: number | undefined } | undefined {
    const bounds = this.plainQuantifier();
    if (bounds !== undefined) this.eat('?');
    return bounds;
  }

  private plainQuantifier(): { min: number; max: number | undefined } | undefined {
    if (this.eat('*')) return { min: 0, max: undefined };
    if (this.eat('+')) return { min: 1, max: undefined };
    if (this.eat('?')) return { min: 0, max: 1 };
    if (this.peek() !== '{') return undefined;
    const rest = this.source.slice(this.at, this.at + 16).join('');
    const match = /^\{(\d{1,5})(,(\d{0,5}))?\}/.exec(rest);
    if (match === null) return undefined;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === '' ? undefined : Number(match[3]);
    if (min > repeatMax || (max !== undefined && (max > repeatMax || max < min)))
      throw new BadExpression('repeat count');
    this.at += match[0].length;
    return { min, max };
  }

  private atom(): Piece {
    const char = this.source[this.at++]!;
    if (char === '(') return this.group();
    if (char === '[') return this.set(this.bracket());
    if (char === '.') return this.set(this.dotAll ? everything : anyButNewline);
    if (char === '^') return this.assertion('start');
    if (char === '$') return this.assertion('end');
    if (char === '*' || char === '+' || char === '?') throw new BadExpression('nothing to repeat');
    if (char === '\\') return this.escape();
    return this.literal(code(char));
  }

  private group(): Piece {
    const flags = { ignoreCase: this.ignoreCase, dotAll: this.dotAll };
    if (this.eat('?')) {
      const rest = this.source.slice(this.at, this.at + 70).join('');
      const named = /^P?<([A-Za-z_]\w{0,60})>/.exec(rest);
      const options = /^([is]*)(-([is]+))?([:)])/.exec(rest);
      if (named !== null) this.at += named[0].length;
      else if (options !== null) {
        this.at += options[0].length;
        this.setFlags(options[1]!, true);
        this.setFlags(options[3] ?? '', false);
        if (options[4] === ')') return this.empty();
      } else throw new BadExpression('unknown group');
    }
    const piece = this.alternatives();
    if (!this.eat(')')) throw new BadExpression('missing )');
    Object.assign(this, flags);
    return piece;
  }

  private setFlags(flags: string, value: boolean): void {
    if (flags.includes('i')) this.ignoreCase = value;
    if (flags.includes('s')) this.dotAll = value;
  }

  private escape(): Piece {
    const char = this.source[this.at++];
    if (char === undefined) throw new BadExpression('trailing backslash');
    if (char === 'A') return this.assertion('start');
    if (char === 'z') return this.assertion('end');
    if (char === 'b') return this.assertion('word');
    if (char === 'B') return this.assertion('notWord');
    const set = classOf(char);
    if (set !== undefined) return this.set(set);
    return this.literal(this.escapedPoint(char));
  }

  /** The character after a backslash that stands for one character. */
  private escapedPoint(char: string): number {
    if (controls[char] !== undefined) return controls[char];
    if (char === 'x') {
      const match = /^([0-9A-Fa-f]{2}|\{[0-9A-Fa-f]{1,6}\})/.exec(this.source.slice(this.at, this.at + 8).join(''));
      if (match === null) throw new BadExpression('hexadecimal escape');
      this.at += match[0].length;
      return Number.parseInt(match[0].replace(/[{}]/g, ''), 16);
    }
    if (/[0-9A-Za-z]/.test(char)) throw new BadExpression(`escape ${char}`);
    return code(char);
  }

  private bracket(): CharSet {
    const negated = this.eat('^');
    const ranges: (readonly [number, number])[] = [];
    for (let first = true; ; first = false) {
      const char = this.source[this.at++];
      if (char === undefined) throw new BadExpression('missing ]');
      if (char === ']' && !first) break;
      this.bracketItem(char, ranges);
    }
    return this.folded({ ranges, negated });
  }

  private bracketItem(char: string, ranges: (readonly [number, number])[]): void {
    if (char === '[' && this.peek() === ':') {
      const match = /^:(\^?)([a-z]+):\]/.exec(this.source.slice(this.at, this.at + 12).join(''));
      const set = match === null ? undefined : posix[match[2]!];
      if (match === null || set === undefined) throw new BadExpression('character class');
      this.at += match[0].length;
      ranges.push(...(match[1] === '^' ? complement(set.ranges) : set.ranges));
      return;
    }
    const next = char === '\\' ? this.source[this.at++] : undefined;
    const set = next === undefined ? undefined : classOf(next);
    if (set !== undefined) {
      ranges.push(...(set.negated ? complement(set.ranges) : set.ranges));
      return;
    }
    const low = next === undefined ? code(char) : this.escapedPoint(next);
    if (this.peek() !== '-' || this.peek(1) === ']' || this.peek(1) === undefined) {
      ranges.push([low, low]);
      return;
    }
    this.at++;
    const end = this.source[this.at++]!;
    const high = end === '\\' ? this.escapedPoint(this.source[this.at++] ?? '') : code(end);
    if (high < low) throw new BadExpression('range out of order');
    ranges.push([low, high]);
  }

  private literal(point: number): Piece {
    return this.set(this.folded(positive([point, point])));
  }

  /** With (?i), ASCII letters of both cases. */
  private folded(set: CharSet): CharSet {
    if (!this.ignoreCase) return set;
    const ranges = set.ranges.flatMap(([low, high]): (readonly [number, number])[] => [
      [low, high],
      ...overlap(low, high, 0x41, 0x5a, 0x20),
      ...overlap(low, high, 0x61, 0x7a, -0x20),
    ]);
    return { ranges, negated: set.negated };
  }

  private set(set: CharSet): Piece {
    const node: Node = { kind: 'set', set, next: unset };
    return {
      start: this.add(node),
      ends: [
        (target) => {
          node.next = target;
        },
      ],
    };
  }

  private assertion(what: 'start' | 'end' | 'word' | 'notWord'): Piece {
    const node: Node = { kind: 'assert', what, next: unset };
    return {
      start: this.add(node),
      ends: [
        (target) => {
          node.next = target;
        },
      ],
    };
  }
}

function classOf(char: string): CharSet | undefined {
  const set = escapes[char.toLowerCase()];
  if (set === undefined) return undefined;
  return char === char.toLowerCase() ? set : negate(set);
}

function overlap(low: number, high: number, from: number, to: number, shift: number): [number, number][] {
  const start = Math.max(low, from);
  const end = Math.min(high, to);
  return start <= end ? [[start + shift, end + shift]] : [];
}

function complement(ranges: readonly (readonly [number, number])[]): [number, number][] {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const out: [number, number][] = [];
  let next = 0;
  for (const [low, high] of sorted) {
    if (low > next) out.push([next, low - 1]);
    next = Math.max(next, high + 1);
  }
  out.push([next, 0x10_ffff]);
  return out;
}
