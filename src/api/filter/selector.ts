/**
 * Where a selector leads in a record. Schemas are the field table: what they declare can be asked for, by its exact name,
 * with the exceptions that a caller excludes (indexes, check definitions) and free-form values (`Config`).
 *
 * A path runs through records and maps. A list of records in between means "any element": what follows is asked of each.
 */
import type { Schema } from '../../structs/index.ts';

/** What can be compared at the end of a path. `absent`: a map has no such key. */
export type Kind = 'string' | 'int' | 'uint64' | 'float' | 'bool' | 'strings' | 'map' | 'records' | 'record';

export interface Step {
  /** A field or a map key; an element of a list takes no name. */
  readonly name: string;
  readonly through: 'field' | 'key';
  /** What to read when a nullable record on the way is null. */
  readonly zero: unknown;
}

export interface Target {
  readonly kind: Kind;
  /** Steps from the record to the value; each further group starts at the elements of the list before it. */
  readonly groups: readonly (readonly Step[])[];
}

export type Resolution = { readonly target: Target } | { readonly invalid: string };

export function resolve(schema: Schema<unknown>, path: readonly string[], excluded: ReadonlySet<string>): Resolution {
  const groups: Step[][] = [[]];
  let at = schema;
  for (let i = 0; i < path.length; i++) {
    if (at.kind === 'list' && at.element?.fields !== undefined) {
      at = at.element;
      groups.push([]);
    }
    const name = path[i]!;
    const next = at.fields === undefined ? inMap(at) : field(at, name, excluded);
    if (next === undefined) return { invalid: path.slice(0, i + 1).join('.') };
    groups.at(-1)!.push({ name, through: at.fields === undefined ? 'key' : 'field', zero: next.zero() });
    at = next;
  }
  const kind = kindOf(at);
  return kind === undefined ? { invalid: path.join('.') } : { target: { kind, groups } };
}

function inMap(at: Schema<unknown>): Schema<unknown> | undefined {
  return at.kind === 'map' && at.element?.kind !== 'json' ? at.element : undefined;
}

function field(at: Schema<unknown>, name: string, excluded: ReadonlySet<string>): Schema<unknown> | undefined {
  const found = Object.hasOwn(at.fields!, name) && !excluded.has(name) ? at.fields![name] : undefined;
  if (found === undefined || found.inputOnly === true || found.outputOnly === true) return undefined;
  const free = found.schema.kind === 'json' || found.schema.element?.kind === 'json';
  return free ? undefined : found.schema;
}

/** Undefined: values of this kind cannot be asked for. */
function kindOf(schema: Schema<unknown>): Kind | undefined {
  switch (schema.kind) {
    case 'string':
    case 'int':
    case 'uint64':
    case 'float':
    case 'bool':
    case 'map':
    case 'record':
      return schema.kind;
    case 'duration':
      return 'int';
    case 'list':
      return schema.element?.fields === undefined ? 'strings' : 'records';
    default:
      return undefined;
  }
}

export const absent = Symbol('absent');

/** Follows the steps of one group. `absent` when a map on the way has no such key. */
export function follow(value: unknown, steps: readonly Step[]): unknown {
  let at = value;
  for (const step of steps) {
    if (at === null || at === undefined) {
      if (step.through === 'key') return absent;
      at = step.zero;
    } else if (step.through === 'key') {
      if (!Object.hasOwn(at as object, step.name)) return absent;
      at = (at as Record<string, unknown>)[step.name];
    } else {
      at = (at as Record<string, unknown>)[step.name];
    }
  }
  return at;
}
