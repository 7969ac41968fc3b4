/**
 * Matching in linear time. A tree becomes a program of three instructions; the machine walks the text once and keeps the
 * set of places in the program where some attempt could be (Thompson 1968; Cox, "Regular Expression Matching Can Be
 * Simple And Fast"). Work is at most text times program: no pattern can hold the process, unlike with backtracking.
 */
import type { CharSet } from './char-set.ts';
import { type Assertion, RegexpError, type Tree } from './syntax.ts';

type Instruction =
  | { readonly op: 'set'; readonly set: CharSet; next: number }
  | { readonly op: 'assert'; readonly assertion: Assertion; next: number }
  | { readonly op: 'split'; left: number; right: number }
  | { readonly op: 'match' };

/** Counted repeats are copies: a bound on what `(a{1000}){1000}` may grow to. */
const instructionsMax = 20_000;
/** … and on the work of copying what needs no instruction, as in `((){1000}){1000}`. */
const stepsMax = 200_000;

export class Program {
  readonly #code: Instruction[] = [];
  readonly #start: number;
  readonly #pattern: string;
  #steps = 0;

  constructor(tree: Tree, pattern: string) {
    this.#pattern = pattern;
    this.#start = this.#compile(tree, this.#emit({ op: 'match' }));
  }

  /** True when the pattern matches somewhere in the text. */
  test(text: string): boolean {
    const characters = Array.from(text, (c) => c.codePointAt(0)!);
    let current = new Places(this.#code.length);
    let following = new Places(this.#code.length);
    for (let at = 0; at <= characters.length; at++) {
      if (this.#reach(current, this.#start, characters, at)) return true;
      if (at === characters.length) return false;
      const c = characters[at]!;
      for (let i = 0; i < current.size; i++) {
        const instruction = this.#code[current.list[i]!]!;
        if (instruction.op !== 'set' || !instruction.set.has(c)) continue;
        if (this.#reach(following, instruction.next, characters, at + 1)) return true;
      }
      [current, following] = [following, current];
      following.clear();
    }
    return false;
  }

  /** Adds a place and all that follows it without reading; true when that includes the end of the program. */
  #reach(places: Places, from: number, characters: readonly number[], at: number): boolean {
    const stack = [from];
    for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
      if (!places.add(place)) continue;
      const instruction = this.#code[place]!;
      if (instruction.op === 'match') return true;
      if (instruction.op === 'split') stack.push(instruction.left, instruction.right);
      else if (instruction.op === 'assert' && holds(instruction.assertion, characters, at))
        stack.push(instruction.next);
    }
    return false;
  }

  #emit(instruction: Instruction): number {
    if (this.#code.length >= instructionsMax) throw new RegexpError('expression too large', this.#pattern);
    return this.#code.push(instruction) - 1;
  }

  /** Emits the code of a tree that goes on at `next`; returns where it starts. Built from the end to the front. */
  #compile(tree: Tree, next: number): number {
    if (++this.#steps > stepsMax) throw new RegexpError('expression too large', this.#pattern);
    switch (tree.kind) {
      case 'empty':
        return next;
      case 'set':
        return this.#emit({ op: 'set', set: tree.set, next });
      case 'assert':
        return this.#emit({ op: 'assert', assertion: tree.assertion, next });
      case 'cat':
        return tree.items.reduceRight((after, item) => this.#compile(item, after), next);
      case 'alt':
        return tree.items
          .map((item) => this.#compile(item, next))
          .reduceRight((right, left) => this.#emit({ op: 'split', left, right }));
      case 'repeat':
        return this.#compileRepeat(tree, next);
    }
  }

  #compileRepeat({ item, min, max }: Extract<Tree, { kind: 'repeat' }>, next: number): number {
    let start = next;
    if (max === Number.POSITIVE_INFINITY) {
      const loop: Instruction = { op: 'split', left: next, right: next };
      start = this.#emit(loop);
      loop.left = this.#compile(item, start);
    } else {
      for (let i = min; i < max; i++)
        start = this.#emit({ op: 'split', left: this.#compile(item, start), right: next });
    }
    for (let i = 0; i < min; i++) start = this.#compile(item, start);
    return start;
  }
}

/** A set of places that is cleared in no time: a member counts only while the list points back at it. */
class Places {
  readonly list: Uint32Array;
  readonly #position: Uint32Array;
  size = 0;

  constructor(capacity: number) {
    this.list = new Uint32Array(capacity);
    this.#position = new Uint32Array(capacity);
  }
  add(place: number): boolean {
    const position = this.#position[place]!;
    if (position < this.size && this.list[position] === place) return false;
    this.#position[place] = this.size;
    this.list[this.size++] = place;
    return true;
  }
  clear(): void {
    this.size = 0;
  }
}

function holds(assertion: Assertion, characters: readonly number[], at: number): boolean {
  switch (assertion) {
    case 'textStart':
      return at === 0;
    case 'textEnd':
      return at === characters.length;
    case 'lineStart':
      return at === 0 || characters[at - 1] === 0x0a;
    case 'lineEnd':
      return at === characters.length || characters[at] === 0x0a;
    case 'wordBoundary':
      return isWord(characters[at - 1]) !== isWord(characters[at]);
    case 'noWordBoundary':
      return isWord(characters[at - 1]) === isWord(characters[at]);
  }
}

function isWord(code: number | undefined): boolean {
  return code !== undefined && code < 128 && /\w/.test(String.fromCharCode(code));
}
