/**
 * One definition of each record (ARCHITECTURE.md, "Decisions"). A schema gives the TypeScript type, the decoder with the
 * leniency that existing tools rely on, the error texts, the field table (filters, documentation) and the JSON text.
 *
 * Property names are the API's own CamelCase names. Every decoded record has all its fields: absent ones hold their zero
 * (`''`, `0`, `false`, `null` for lists and maps), as in the reference.
 *
 * Decoding: keys match ignoring case; in files (`naming: 'file'`) they are snake_case. `null` means unset. The last of two
 * equal keys wins. Unknown keys are refused or ignored as the caller says. Error texts are those of Go's encoding/json,
 * since tools show and match them.
 */
import { decodeBase64, encodeBase64 } from '../std/base64.ts';
import { formatDuration, parseDuration } from '../std/duration.ts';
import { JsonNumber } from '../std/json-value.ts';
import { err, ok, type Result } from '../std/result.ts';

export interface DecodeOptions {
  /** `api`: CamelCase, any case, with declared aliases. `file`: snake_case. */
  readonly naming: 'api' | 'file';
  readonly unknown: 'refuse' | 'ignore';
}

export interface Schema<T> {
  readonly kind:
    | 'string'
    | 'bool'
    | 'int'
    | 'uint64'
    | 'float'
    | 'duration'
    | 'bytes'
    | 'list'
    | 'map'
    | 'record'
    | 'json';
  /** The Go type named in error texts: `int`, `[]string`, ... */
  readonly goType: string;
  zero(): T;
  /** Throws DecodeFailure; use `decode`. `path` is the dotted place inside the document. */
  read(input: unknown, path: string, options: DecodeOptions): T;
  /** JSON text, compact, in the API's form. */
  text(value: T): string;
  /** Whether Go's `omitempty` would leave the value out. */
  isEmpty(value: T): boolean;
  /** Of a list or map: the element. */
  readonly element?: Schema<unknown>;
  /** Of a record: its fields in output order. */
  readonly fields?: Readonly<Record<string, Field<unknown>>>;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;

/** How a schema stands in a record. Plain schemas are taken as `{ schema }`. */
export interface Field<T> {
  readonly schema: Schema<T>;
  /** Left out of the output when empty. */
  readonly omitEmpty?: boolean;
  /** Further input names (api naming), beside the field's own in any case. */
  readonly aliases?: readonly string[];
  /** Accepted on input, never printed. */
  readonly inputOnly?: boolean;
  /** Printed, never read: on input the key is accepted and ignored. */
  readonly outputOnly?: boolean;
}

class DecodeFailure extends Error {
  override readonly name = 'DecodeFailure';
  readonly path: string;
  constructor(message: string, path: string) {
    super(message);
    this.path = path;
  }
}

/** Decodes a parsed JSON (or HCL) value. The error is the message to show, without a prefix. */
export function decode<T>(schema: Schema<T>, input: unknown, options: DecodeOptions): Result<T, string> {
  try {
    return ok(schema.read(input ?? null, '', options));
  } catch (error) {
    if (error instanceof DecodeFailure) return err(error.message);
    throw error;
  }
}

/** JSON text of a record; `<`, `>`, `&` and the line separators are escaped as Go does. */
export function encode<T>(schema: Schema<T>, value: T): string {
  return schema.text(value);
}

const special = /[<>&\u2028\u2029]/;
const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};
const specials = /[<>&\u2028\u2029]/g;

/** A JSON string literal, escaped as Go's encoder does by default. */
export function quote(text: string): string {
  const json = JSON.stringify(text);
  return special.test(json) ? json.replace(specials, (char) => escapes[char]!) : json;
}

/** The JSON text of any plain value: map keys sorted, bigints as numbers, strings escaped. */
export function jsonText(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return `"${encodeBase64(value)}"`;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  const entries = Object.entries(value as Record<string, unknown>).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, item]) => `${quote(key)}:${jsonText(item)}`).join(',')}}`;
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`json: unsupported value: ${value}`);
  return String(value);
}

/** The name Go gives a JSON value in `cannot unmarshal X into ...`. */
function gotName(input: unknown): string {
  if (Array.isArray(input)) return 'array';
  if (input instanceof JsonNumber) return 'number';
  if (typeof input === 'object') return 'object';
  if (typeof input === 'boolean') return 'bool';
  if (typeof input === 'number' || typeof input === 'bigint') return 'number';
  return 'string';
}

/** A number that JavaScript's own type would not hold as written. */
function isNumber(input: unknown): input is bigint | JsonNumber {
  return typeof input === 'bigint' || input instanceof JsonNumber;
}

/** Free-form values hold plain floats, as Go's do: `1.0` is 1 and a whole number beyond 2^53 is rounded. */
function plainJson(input: unknown, path: string): unknown {
  if (isNumber(input)) {
    const value = Number(input);
    if (!Number.isFinite(value)) throw mismatch(input, path, 'float64', true);
    return value;
  }
  if (Array.isArray(input)) return input.map((item) => plainJson(item, path));
  if (typeof input !== 'object' || input === null) return input;
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(input)) {
    // A plain assignment of "__proto__" would set the prototype instead of a key.
    Object.defineProperty(out, key, {
      value: plainJson(item, path),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return out;
}

function mismatch(input: unknown, path: string, goType: string, literal = false): DecodeFailure {
  const got = literal ? `number ${String(input)}` : gotName(input);
  const place = path === '' ? `Go value of type ${goType}` : `Go struct field .${path} of type ${goType}`;
  return new DecodeFailure(`json: cannot unmarshal ${got} into ${place}`, path);
}

export function string(): Schema<string> {
  return {
    kind: 'string',
    goType: 'string',
    zero: () => '',
    read(input, path) {
      if (input === null) return '';
      if (typeof input !== 'string') throw mismatch(input, path, 'string');
      return input;
    },
    text: quote,
    isEmpty: (value) => value === '',
  };
}

export function bool(): Schema<boolean> {
  return {
    kind: 'bool',
    goType: 'bool',
    zero: () => false,
    read(input, path) {
      if (input === null) return false;
      if (typeof input !== 'boolean') throw mismatch(input, path, 'bool');
      return input;
    },
    text: (value) => (value ? 'true' : 'false'),
    isEmpty: (value) => !value,
  };
}

/** A signed integer; fractions and exponents are refused. Values beyond 2^53 are refused too: no such field needs them. */
export function int(): Schema<number> {
  return {
    kind: 'int',
    goType: 'int',
    zero: () => 0,
    read(input, path) {
      if (input === null) return 0;
      if (typeof input !== 'number') throw mismatch(input, path, 'int', isNumber(input));
      if (!Number.isSafeInteger(input)) throw mismatch(input, path, 'int', true);
      return input;
    },
    text: (value) => String(value),
    isEmpty: (value) => value === 0,
  };
}

/** 0 to 2^64-1. A number where it is exact, a bigint beyond 2^53. */
export function uint64(): Schema<number | bigint> {
  return {
    kind: 'uint64',
    goType: 'uint64',
    zero: () => 0,
    read(input, path) {
      if (input === null) return 0;
      if (typeof input === 'bigint') {
        if (input < 0n || input >= 2n ** 64n) throw mismatch(input, path, 'uint64', true);
        return input <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(input) : input;
      }
      if (typeof input !== 'number') throw mismatch(input, path, 'uint64', isNumber(input));
      if (!Number.isSafeInteger(input) || input < 0) throw mismatch(input, path, 'uint64', true);
      return input;
    },
    text: (value) => value.toString(),
    isEmpty: (value) => value === 0,
  };
}

/** A Raft or modify index: it never outgrows 2^53, so it is a plain number. */
export function index(): Schema<number> {
  return { ...int(), kind: 'uint64', goType: 'uint64' };
}

export function float(): Schema<number> {
  return {
    kind: 'float',
    goType: 'float64',
    zero: () => 0,
    read(input, path) {
      if (input === null) return 0;
      const value = isNumber(input) ? Number(input) : input;
      if (typeof value !== 'number') throw mismatch(input, path, 'float64');
      if (!Number.isFinite(value)) throw mismatch(input, path, 'float64', true);
      return value;
    },
    text: numberText,
    isEmpty: (value) => value === 0,
  };
}

/** Nanoseconds. Reads `"10s"` or a number of nanoseconds, prints `"10s"`. `number` prints the figure instead. */
export function duration(print: 'text' | 'number' = 'text'): Schema<number> {
  return {
    kind: 'duration',
    goType: 'time.Duration',
    zero: () => 0,
    read(input, path) {
      if (input === null || input === '') return 0;
      if (typeof input === 'number') return input;
      if (isNumber(input)) return Number(input);
      // Other JSON types are ignored by the reference; we say what is wrong.
      if (typeof input !== 'string') throw mismatch(input, path, 'time.Duration');
      const parsed = parseDuration(input);
      if (!parsed.ok) throw new DecodeFailure(parsed.error, path);
      return parsed.value;
    },
    text: (value) => (print === 'number' ? String(value) : `"${formatDuration(value)}"`),
    isEmpty: (value) => value === 0,
  };
}

/** Bytes as base64; `null` when absent. */
export function bytes(): Schema<Uint8Array | null> {
  return {
    kind: 'bytes',
    goType: '[]uint8',
    zero: () => null,
    read(input, path) {
      if (input === null) return null;
      if (typeof input !== 'string') throw mismatch(input, path, '[]uint8');
      const decoded = decodeBase64(input);
      if (!decoded.ok) throw new DecodeFailure(decoded.error, path);
      return decoded.value;
    },
    text: (value) => (value === null || value.length === 0 ? 'null' : `"${encodeBase64(value)}"`),
    isEmpty: (value) => value === null || value.length === 0,
  };
}

/** `null` prints as `null`, or as `[]` when `nullAs` says that readers never see a null. */
export function list<T>(element: Schema<T>, nullAs: 'null' | '[]' = 'null'): Schema<readonly T[] | null> {
  return {
    kind: 'list',
    goType: `[]${element.goType}`,
    element: element as Schema<unknown>,
    zero: () => null,
    read(input, path, options) {
      if (input === null) return null;
      if (!Array.isArray(input)) throw mismatch(input, path, `[]${element.goType}`);
      return input.map((item) => element.read(item ?? null, path, options));
    },
    text(value) {
      if (value === null) return nullAs;
      let text = '[';
      for (let i = 0; i < value.length; i++) text += (i === 0 ? '' : ',') + element.text(value[i]!);
      return `${text}]`;
    },
    isEmpty: (value) => value === null || value.length === 0,
  };
}

/** A map with string keys; printed sorted. */
export function map<T>(element: Schema<T>, nullAs: 'null' | '{}' = 'null'): Schema<Readonly<Record<string, T>> | null> {
  return {
    kind: 'map',
    goType: `map[string]${element.goType}`,
    element: element as Schema<unknown>,
    zero: () => null,
    read(input, path, options) {
      if (input === null) return null;
      if (typeof input !== 'object' || Array.isArray(input))
        throw mismatch(input, path, `map[string]${element.goType}`);
      const out: Record<string, T> = {};
      for (const [key, item] of Object.entries(input as object)) {
        const value = element.read(item ?? null, `${path}.${key}`, options);
        // A plain assignment of "__proto__" would set the prototype instead of a key.
        Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
      }
      return out;
    },
    text(value) {
      if (value === null) return nullAs;
      const keys = Object.keys(value).sort();
      let text = '{';
      for (let i = 0; i < keys.length; i++) {
        text += `${i === 0 ? '' : ','}${quote(keys[i]!)}:${element.text(value[keys[i]!]!)}`;
      }
      return `${text}}`;
    },
    isEmpty: (value) => value === null || Object.keys(value).length === 0,
  };
}

/** Anything; kept and printed as it came (map keys sorted). */
export function json(): Schema<unknown> {
  return {
    kind: 'json',
    goType: 'interface {}',
    zero: () => null,
    read: plainJson,
    text: jsonText,
    isEmpty: (value) =>
      value === null ||
      value === undefined ||
      (Array.isArray(value) && value.length === 0) ||
      (typeof value === 'object' && Object.keys(value).length === 0),
  };
}

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
