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
import { JsonNumber } from '../../std/json-value.ts';
import { err, ok, type Result } from '../../std/result.ts';

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

/** What `read` throws: the message to show, and the place. */
export class DecodeFailure extends Error {
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
export function isNumber(input: unknown): input is bigint | JsonNumber {
  return typeof input === 'bigint' || input instanceof JsonNumber;
}

/** A value of another type than the schema's, or (`literal`) a number that this type does not hold. */
export function mismatch(input: unknown, path: string, goType: string, literal = false): DecodeFailure {
  const got = literal ? `number ${String(input)}` : gotName(input);
  const place = path === '' ? `Go value of type ${goType}` : `Go struct field .${path} of type ${goType}`;
  return new DecodeFailure(`json: cannot unmarshal ${got} into ${place}`, path);
}
