/**
 * Whether a value in memory is what a schema describes: for values that another process sent in a binary form, which no
 * decoder has looked at. Stricter than decoding: every field must be there, in its own type. Fields that the schema does
 * not know are let be.
 */
import type { Schema } from './schema.ts';

/** Where and how `value` does not conform (`Service.Port must be int`), or undefined. */
export function nonconformity(schema: Schema<never>, value: unknown, path = ''): string | undefined {
  const here = path === '' ? 'the value' : path;
  if (value === null) return schema.zero() === null ? undefined : `${here} must not be null`;
  switch (schema.kind) {
    case 'json':
      return undefined;
    case 'list':
      return Array.isArray(value)
        ? firstOf(value.entries(), (item, i) => nonconformity(schema.element as Schema<never>, item, `${path}[${i}]`))
        : `${here} must be a list`;
    case 'map':
      return isPlain(value)
        ? firstOf(Object.entries(value), (item, key) =>
            nonconformity(schema.element as Schema<never>, item, `${path}.${key}`),
          )
        : `${here} must be a map`;
    case 'record':
      return isPlain(value)
        ? firstOf(Object.entries(schema.fields ?? {}), (field, key) => {
            return nonconformity(field.schema as Schema<never>, value[key], path === '' ? key : `${path}.${key}`);
          })
        : `${here} must be a record`;
    default:
      return scalars[schema.kind](value) ? undefined : `${here} must be ${schema.goType}`;
  }
}

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

function firstOf<K, V>(
  entries: Iterable<readonly [K, V]>,
  look: (value: V, key: K) => string | undefined,
): string | undefined {
  for (const [key, value] of entries) {
    const found = look(value, key);
    if (found !== undefined) return found;
  }
  return undefined;
}
