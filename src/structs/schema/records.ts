/** Schemas of records, and how a field stands in one. */
import { quote } from './json-text.ts';
import { DecodeFailure, type Field, mismatch, type Schema } from './schema.ts';

type Entry = Schema<unknown> | Field<unknown>;
type TypeOf<E> = E extends Field<infer T> ? T : E extends Schema<infer T> ? T : never;
export type RecordOf<F> = { readonly [K in keyof F]: TypeOf<F[K]> };

/** A record. Fields print in the order of declaration. A tolerant one ignores unknown keys (not those further inside). */
export function record<F extends Readonly<Record<string, Entry>>>(
  name: string,
  entries: F,
  tolerant = false,
): Schema<RecordOf<F>> {
  type T = RecordOf<F>;
  const fields: Record<string, Field<unknown>> = {};
  const byApiName = new Map<string, string>();
  const byFileName = new Map<string, string>();
  for (const [key, entry] of Object.entries(entries)) {
    const field = ('schema' in entry ? entry : { schema: entry }) as Field<unknown>;
    fields[key] = field;
    byApiName.set(key.toLowerCase(), key);
    for (const alias of field.aliases ?? []) byApiName.set(alias.toLowerCase(), key);
    byFileName.set(snakeCase(key), key);
  }
  const all = Object.entries(fields);
  const printed = all
    .filter(([, field]) => !field.inputOnly)
    .map(([key, field]) => ({ key, label: `${quote(key)}:`, ...field }));
  // Made once and copied: records are never changed in place, so nested zeroes may be shared.
  let template: T | undefined;
  const zero = (): T => {
    template ??= Object.fromEntries(all.map(([key, field]) => [key, field.schema.zero()])) as T;
    return { ...template };
  };
  return {
    kind: 'record',
    goType: name,
    fields,
    zero,
    read(input, path, options) {
      const out = zero() as Record<string, unknown>;
      if (input === null) return out as T;
      if (typeof input !== 'object' || Array.isArray(input)) throw mismatch(input, path, name);
      const names = options.naming === 'file' ? byFileName : byApiName;
      for (const [given, value] of Object.entries(input)) {
        const key = names.get(given.toLowerCase());
        if (key === undefined) {
          if (tolerant || options.unknown === 'ignore') continue;
          throw new DecodeFailure(
            `json: unknown field ${JSON.stringify(given)}`,
            path === '' ? given : `${path}.${given}`,
          );
        }
        const field = fields[key]!;
        if (field.outputOnly) continue;
        out[key] = field.schema.read(value ?? null, path === '' ? key : `${path}.${key}`, options);
      }
      return out as T;
    },
    text(value) {
      let text = '{';
      for (const { key, label, schema, omitEmpty } of printed) {
        const item = (value as Record<string, unknown>)[key];
        if (item === undefined || (omitEmpty && schema.isEmpty(item))) continue;
        text += (text.length > 1 ? ',' : '') + label + schema.text(item);
      }
      return `${text}}`;
    },
    isEmpty: (value) => all.every(([key, field]) => field.schema.isEmpty((value as Record<string, unknown>)[key])),
  };
}

/** A record that may be absent; `null` prints as the JSON text given. */
export function nullable<T>(inner: Schema<T>, nullAs = 'null'): Schema<T | null> {
  return {
    kind: inner.kind,
    goType: inner.goType,
    ...(inner.fields === undefined ? {} : { fields: inner.fields }),
    zero: () => null,
    read: (input, path, options) => (input === null ? null : inner.read(input, path, options)),
    text: (value) => (value === null ? nullAs : inner.text(value)),
    isEmpty: (value) => value === null || inner.isEmpty(value),
  };
}

export function omitEmpty<T>(schema: Schema<T>, more: Omit<Field<T>, 'schema' | 'omitEmpty'> = {}): Field<T> {
  return { schema, omitEmpty: true, ...more };
}

export function field<T>(schema: Schema<T>, more: Omit<Field<T>, 'schema'>): Field<T> {
  return { schema, ...more };
}

/** `EnableTagOverride` -> `enable_tag_override`, `GRPCUseTLS` -> `grpc_use_tls`, `H2PING` -> `h2ping`. */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/^h2_ping/, 'h2ping');
}
