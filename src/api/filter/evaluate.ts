/**
 * Turns an expression into a function over records of one schema. Everything that can be wrong with an expression is found
 * here, before a record is looked at: unknown selectors, operators that a type does not have, values that are not of it.
 *
 * | type | operators |
 * | --- | --- |
 * | string | `==` `!=` `in` (a part of it) `matches` |
 * | number, bool | `==` `!=` |
 * | list of strings | `in`, `is empty` |
 * | list of records | `is empty`; a selector into it holds when it holds for any element |
 * | record | none: only its fields can be asked for |
 * | map | `in` (a key), `is empty`; `.key` is a string, absent when the map has no such key |
 *
 * Of an absent key every positive statement is false and every negative one true; both `matches` and `not matches` are true.
 */
import { err, ok, type Result } from '../../std/result.ts';
import type { Schema } from '../../structs/index.ts';
import { parseGoBool, parseGoFloat, parseGoInt, parseGoUint } from './coerce.ts';
import { type Expression, type Operator, parseFilter } from './grammar.ts';
import { compileRegexp } from './regexp/index.ts';
import { absent, follow, type Kind, resolve, type Step } from './selector.ts';

export type Predicate<T> = (row: T) => boolean;

export interface FilterError {
  /** `syntax`: not of the language. `meaning`: of it, but not about these records. */
  readonly kind: 'syntax' | 'meaning';
  readonly text: string;
}

/** What most endpoints put before a filter's error. */
export const filterErrorPrefix = 'Failed to create boolean expression evaluator: ';

/** Fields that no catalog or health record can be filtered by. */
export const unfilterable: ReadonlySet<string> = new Set(['CreateIndex', 'ModifyIndex', 'Definition']);

/** '' filters nothing. `excluded` names fields, at any depth, that cannot be asked for. */
export function compileFilter<T>(
  schema: Schema<T>,
  text: string,
  excluded: ReadonlySet<string> = unfilterable,
): Result<Predicate<T>, FilterError> {
  if (text === '') return ok(() => true);
  const parsed = parseFilter(text);
  if (!parsed.ok) return err({ kind: 'syntax', text: parsed.error });
  try {
    return ok(compile(parsed.value, schema as Schema<unknown>, excluded) as Predicate<T>);
  } catch (error) {
    if (error instanceof Meaningless) return err({ kind: 'meaning', text: error.message });
    throw error;
  }
}

class Meaningless extends Error {}

type Test = (value: unknown) => boolean;

function compile(expression: Expression, schema: Schema<unknown>, excluded: ReadonlySet<string>): Test {
  switch (expression.kind) {
    case 'not': {
      const term = compile(expression.term, schema, excluded);
      return (row) => !term(row);
    }
    case 'and': {
      const terms = expression.terms.map((term) => compile(term, schema, excluded));
      return (row) => terms.every((term) => term(row));
    }
    case 'or': {
      const terms = expression.terms.map((term) => compile(term, schema, excluded));
      return (row) => terms.some((term) => term(row));
    }
    case 'match':
      return compileMatch(expression, schema, excluded);
  }
}

type Match = Extract<Expression, { kind: 'match' }>;

function compileMatch(
  { selector, operator, value }: Match,
  schema: Schema<unknown>,
  excluded: ReadonlySet<string>,
): Test {
  const name = selector.join('.');
  const resolved = resolve(schema, selector, excluded);
  if ('invalid' in resolved) throw new Meaningless(`Selector "${resolved.invalid}" is not valid`);
  const { kind, groups } = resolved.target;
  if (!operators[kind].includes(operator)) {
    throw new Meaningless(`Invalid match operator "${operator}" for selector "${name}"`);
  }
  const leaf = leafTest(kind, operator, value, name);
  return anyElement(groups, leaf);
}

const equality: readonly Operator[] = ['Equal', 'Not Equal'];
const membership: readonly Operator[] = ['In', 'Not In'];
const emptiness: readonly Operator[] = ['Is Empty', 'Is Not Empty'];

const operators: Readonly<Record<Kind, readonly Operator[]>> = {
  string: [...equality, ...membership, 'Matches', 'Not Matches'],
  int: equality,
  uint64: equality,
  float: equality,
  bool: equality,
  strings: [...membership, ...emptiness],
  map: [...membership, ...emptiness],
  records: emptiness,
  record: [],
};

/** Asks the elements of each list on the way; the last group ends at the value itself. */
function anyElement(groups: readonly (readonly Step[])[], leaf: Test): Test {
  const [steps = [], ...rest] = groups;
  if (rest.length === 0) return (row) => leaf(follow(row, steps));
  const inner = anyElement(rest, leaf);
  return (row) => {
    const elements = follow(row, steps);
    return Array.isArray(elements) && elements.some(inner);
  };
}

function leafTest(kind: Kind, operator: Operator, text: string, name: string): Test {
  switch (operator) {
    case 'Equal':
      return orAbsent(equals(kind, text, name), false);
    case 'Not Equal':
      return orAbsent(not(equals(kind, text, name)), true);
    case 'In':
      return orAbsent(contains(kind, text), false);
    case 'Not In':
      return orAbsent(not(contains(kind, text)), true);
    case 'Is Empty':
      return orAbsent(isEmpty, true);
    case 'Is Not Empty':
      return orAbsent(not(isEmpty), false);
    case 'Matches':
      return orAbsent(matches(text), true);
    case 'Not Matches':
      return orAbsent(not(matches(text)), true);
  }
}

const orAbsent =
  (test: Test, whenAbsent: boolean): Test =>
  (value) =>
    value === absent ? whenAbsent : test(value);

const not =
  (test: Test): Test =>
  (value) =>
    !test(value);

function equals(kind: Kind, text: string, name: string): Test {
  if (kind === 'string') return (value) => value === text;
  const wanted =
    kind === 'bool'
      ? parseGoBool(text)
      : kind === 'float'
        ? parseGoFloat(text)
        : kind === 'uint64'
          ? parseGoUint(text)
          : parseGoInt(text);
  if (!wanted.ok) {
    throw new Meaningless(`Failed to coerce value ${JSON.stringify(text)} for selector "${name}": ${wanted.error}`);
  }
  const exact = typeof wanted.value === 'bigint' ? safeNumber(wanted.value) : wanted.value;
  return (value) => value === exact;
}

/** Records hold numbers where they are exact and bigints beyond. */
function safeNumber(value: bigint): number | bigint {
  return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function contains(kind: Kind, text: string): Test {
  if (kind === 'string') return (value) => (value as string).includes(text);
  if (kind === 'map') return (value) => value !== null && Object.hasOwn(value as object, text);
  return (value) => (value as readonly string[] | null)?.includes(text) ?? false;
}

const isEmpty: Test = (value) =>
  value === null || (Array.isArray(value) ? value.length === 0 : Object.keys(value as object).length === 0);

function matches(pattern: string): Test {
  const compiled = compileRegexp(pattern);
  if (!compiled.ok) {
    throw new Meaningless(`Failed to compile regular expression ${JSON.stringify(pattern)}: ${compiled.error}`);
  }
  const { test } = compiled.value;
  return (value) => test(value as string);
}
