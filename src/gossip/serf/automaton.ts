/** What an expression becomes: a small automaton over code points. Built by `expression-parser.ts`. */
export interface CharSet {
  readonly ranges: readonly (readonly [number, number])[];
  readonly negated: boolean;
}

export type Node =
  | { readonly kind: 'set'; readonly set: CharSet; next: number }
  | { readonly kind: 'split'; readonly targets: number[] }
  | { readonly kind: 'assert'; readonly what: 'start' | 'end' | 'word' | 'notWord'; next: number }
  | { readonly kind: 'match' };

export const positive = (...ranges: (readonly [number, number])[]): CharSet => ({ ranges, negated: false });
export const wordSet = positive([0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]);

export function contains({ ranges, negated }: CharSet, point: number): boolean {
  return ranges.some(([low, high]) => point >= low && point <= high) !== negated;
}
