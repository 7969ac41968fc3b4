/**
 * Sets of characters, asked one code point at a time. ASCII, which is nearly all there is, is a table; the rest is a
 * function.
 */
export interface CharSet {
  has(code: number): boolean;
}

/** A set from a rule, with its ASCII part written down once. */
export function namedClass(rule: (code: number) => boolean): CharSet {
  const ascii = Uint8Array.from({ length: 128 }, (_, code) => (rule(code) ? 1 : 0));
  return { has: (code) => (code < 128 ? ascii[code] === 1 : rule(code)) };
}

export function ranges(list: readonly (readonly [low: number, high: number])[]): CharSet {
  if (list.length === 1 && list[0]![0] === list[0]![1]) {
    const only = list[0]![0];
    return { has: (code) => code === only };
  }
  return namedClass((code) => list.some(([low, high]) => code >= low && code <= high));
}

export function union(sets: readonly CharSet[], negated: boolean): CharSet {
  return namedClass((code) => sets.some((set) => set.has(code)) !== negated);
}

/** What the set holds in any letter case. */
export function caseFolded(set: CharSet): CharSet {
  return namedClass((code) => caseVariants(code).some((variant) => set.has(variant)));
}

/** The code point and those that differ from it only by case. Two pairs reach beyond their alphabet: s/ſ and k/K. */
function caseVariants(code: number): number[] {
  const text = String.fromCodePoint(code);
  const lower = text.toLowerCase();
  const upper = text.toUpperCase();
  const variants = [text, lower, upper, upper.toLowerCase(), lower.toUpperCase()];
  if (lower === 's') variants.push('ſ');
  if (lower === 'k') variants.push('\u212a');
  return variants.filter((variant) => [...variant].length === 1).map((variant) => variant.codePointAt(0)!);
}

const digit = '0-9';
const word = '0-9A-Za-z_';
const perl: Readonly<Record<string, string>> = { d: digit, w: word, s: '\\t\\n\\f\\r ' };

export function perlClass(letter: string): CharSet {
  const positive = perl[letter.toLowerCase()]!;
  return byRegExp(new RegExp(`[${letter === letter.toLowerCase() ? '' : '^'}${positive}]`, 'u'));
}

const posix: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\0-\\x7f',
  blank: '\\t ',
  cntrl: '\\0-\\x1f\\x7f',
  digit,
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t-\\r ',
  upper: 'A-Z',
  word,
  xdigit: '0-9A-Fa-f',
};

export function posixClass(name: string, negated: boolean): CharSet | undefined {
  if (!Object.hasOwn(posix, name)) return undefined;
  return byRegExp(new RegExp(`[${negated ? '^' : ''}${posix[name]!}]`, 'u'));
}

/** A general category (`L`, `Lu`) or a script (`Greek`); undefined when there is none of that name. */
export function unicodeClass(name: string, negated: boolean): CharSet | undefined {
  if (name === 'Any') return namedClass(() => !negated);
  const category = /^(C[cfos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/.test(name);
  if (!category && !/^[A-Z]\w+$/.test(name)) return undefined;
  try {
    return byRegExp(new RegExp(`\\${negated ? 'P' : 'p'}{${category ? name : `Script=${name}`}}`, 'u'));
  } catch {
    // The platform's Unicode tables know no such script.
    return undefined;
  }
}

/** The expression matches single characters: one test a character, nothing to backtrack into. */
function byRegExp(expression: RegExp): CharSet {
  return namedClass((code) => expression.test(String.fromCodePoint(code)));
}
