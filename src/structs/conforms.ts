/**
 * Whether a value in memory is what a schema describes: for values that another process sent in a binary form, which no
 * decoder has looked at. Stricter than decoding: every field must be there, in its own type. Fields that the schema does
 * not know are let be.
 *
 * Every write is asked, and nearly none is refused: the way to what is wrong is put together on the way back from it.
 */
import type { Schema } from './schema/index.ts';

/** Where and how `value` does not conform (`Service.Port must be int`), or undefined. */
export function nonconformity(schema: Schema<never>, value: unknown, path = ''): string | undefined {
  const problem = problemOf(schema, value);
  if (problem === undefined) return undefined;
  const place = path === '' ? problem.place.replace(/^\./, '') : path + problem.place;
  return `${place === '' ? 'the value' : place} ${problem.text}`;
}

interface Problem {
  /** From the value that was asked about: `.Service.Port`, `[3].Name`. */
  readonly place: string;
  readonly text: string;
}

function problemOf(schema: Schema<never>, value: unknown): Problem | undefined {
  if (value === null) return schema.zero() === null ? undefined : here('must not be null');
  switch (schema.kind) {
    case 'json':
      return undefined;
    case 'list':
      if (!Array.isArray(value)) return here('must be a list');
      for (let i = 0; i < value.length; i++) {
        const problem = problemOf(schema.element as Schema<never>, value[i]);
        if (problem !== undefined) return below(`[${i}]`, problem);
      }
      return undefined;
    case 'map':
      if (!isPlain(value)) return here('must be a map');
      for (const key of Object.keys(value)) {
        const problem = problemOf(schema.element as Schema<never>, value[key]);
        if (problem !== undefined) return below(`.${key}`, problem);
      }
      return undefined;
    case 'record':
      if (!isPlain(value)) return here('must be a record');
      for (const name in schema.fields) {
        const problem = problemOf(schema.fields[name]!.schema as Schema<never>, value[name]);
        if (problem !== undefined) return below(`.${name}`, problem);
      }
      return undefined;
    default:
      return scalars[schema.kind](value) ? undefined : here(`must be ${schema.goType}`);
  }
}

const here = (text: string): Problem => ({ place: '', text });
const below = (step: string, { place, text }: Problem): Problem => ({ place: step + place, text });

const scalars = {
  string: (value: unknown) => typeof value === 'string',
  bool: (value: unknown) => typeof value === 'boolean',
  int: (value: unknown) => Number.isSafeInteger(value),
  uint64: (value: unknown) =>
    typeof value === 'bigint' ? value >= 0n && value < 2n ** 64n : Number.isSafeInteger(value) && Number(value) >= 0,
  float: (value: unknown) => Number.isFinite(value),
  duration: (value: unknown) => Number.isFinite(value),
  bytes: (value: unknown) => value instanceof Uint8Array,
} as const;

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
