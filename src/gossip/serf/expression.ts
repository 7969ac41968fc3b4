/**
 * Regular expressions from the network, in time linear in text and expression. A query carries an expression (RE2
 * syntax) that every member must run; JavaScript's own engine backtracks, so that one query with `(a+)+$` could hold
 * every member of a pool for minutes. Here an expression becomes a small automaton that walks all its possibilities at
 * once (Thompson 1968). Only "does it match somewhere" is asked, so greedy and lazy are the same.
 */
import { contains, type Node, wordSet } from './automaton.ts';
import { parseExpression } from './expression-parser.ts';

export class Expression {
  private readonly nodes: readonly Node[];
  private readonly start: number;

  private constructor(nodes: readonly Node[], start: number) {
    this.nodes = nodes;
    this.start = start;
  }

  /** undefined when the text is no expression, uses what has no meaning here (back references), or is too large. */
  static parse(source: string): Expression | undefined {
    const parsed = parseExpression(source);
    return parsed === undefined ? undefined : new Expression(parsed.nodes, parsed.start);
  }

  /** Does it match anywhere in the text? */
  test(text: string): boolean {
    const points = Array.from(text, (char) => char.codePointAt(0)!);
    let current = new Set<number>();
    for (let at = 0; at <= points.length; at++) {
      this.follow(this.start, current, points, at);
      for (const index of current) if (this.nodes[index]!.kind === 'match') return true;
      const following = new Set<number>();
      if (at < points.length) {
        for (const index of current) {
          const node = this.nodes[index]!;
          if (node.kind === 'set' && contains(node.set, points[at]!)) this.follow(node.next, following, points, at + 1);
        }
      }
      current = following;
    }
    return false;
  }

  /** Adds a node and all that can be reached from it without consuming a character. */
  private follow(index: number, into: Set<number>, points: readonly number[], at: number): void {
    const pending = [index];
    while (pending.length > 0) {
      const next = pending.pop()!;
      if (into.has(next)) continue;
      const node = this.nodes[next]!;
      if (node.kind === 'assert' && !holds(node.what, points, at)) continue;
      into.add(next);
      if (node.kind === 'split') pending.push(...node.targets);
      if (node.kind === 'assert') pending.push(node.next);
    }
  }
}

function holds(what: 'start' | 'end' | 'word' | 'notWord', points: readonly number[], at: number): boolean {
  if (what === 'start') return at === 0;
  if (what === 'end') return at === points.length;
  const isWord = (point: number | undefined): boolean => point !== undefined && contains(wordSet, point);
  const boundary = isWord(points[at - 1]) !== isWord(points[at]);
  return boundary === (what === 'word');
}
