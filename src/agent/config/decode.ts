/**
 * Checks one parsed source against the declaration: names (ignoring case, with aliases), types (strict: a string is no
 * number), lists. All type problems of a source are told together, and if there is none, all unknown keys together.
 */
import { parseDuration } from '../../std/duration.ts';
import { err, ok, type Result } from '../../std/result.ts';
import { problemList, type Schema, snakeCase } from '../../structs/index.ts';
import { decodingErrors } from './problems.ts';
import type { Fields, Key } from './schema.ts';

export type Format = 'json' | 'hcl';

/** Reads the inside of a definition key; given by `definitions/`, so that this file knows no record. */
export interface DefinitionReader {
  read(kind: 'service' | 'check', input: unknown, path: string, walk: Walk): Record<string, unknown>;
}

export interface DecodedSource {
  readonly raw: Record<string, unknown>;
  /** Wrong durations inside of definitions; they join the other problems of the values. */
  readonly problems: readonly string[];
  /** What should be said, though it is accepted: old forms. */
  readonly notices: readonly string[];
}

/** The state of one walk over one source. */
export class Walk {
  readonly format: Format;
  readonly types: string[] = [];
  readonly unknown: string[] = [];
  readonly problems: string[] = [];
  readonly notices: string[] = [];

  constructor(format: Format) {
    this.format = format;
  }

  /** Says that `input` is not of the type wanted. */
  mismatch(path: string, wanted: string, input: unknown): undefined {
    const got = this.typeOf(input);
    if (wanted === 'map') this.types.push(`'${path}' expected a map, got '${got}'`);
    else if (wanted === 'slice') this.types.push(`'${path}': source data must be an array or slice, got ${got}`);
    else {
      const shown = typeof input === 'object' ? JSON.stringify(input) : String(input);
      const type = Array.isArray(input) ? '[]interface {}' : got === 'map' ? 'map[string]interface {}' : got;
      this.types.push(`'${path}' expected type '${wanted}', got unconvertible type '${type}', value: '${shown}'`);
    }
    return undefined;
  }

  typeOf(input: unknown): string {
    if (Array.isArray(input)) return 'slice';
    if (typeof input === 'object') return 'map';
    if (typeof input === 'boolean') return 'bool';
    if (typeof input === 'string') return 'string';
    return this.format === 'hcl' && Number.isInteger(input) ? 'int' : 'float64';
  }

  /** A list of one stands for its element where no list is wanted. */
  single(input: unknown): unknown {
    return Array.isArray(input) && input.length === 1 ? input[0] : input;
  }

  /** HCL writes a list of one block as the block. */
  many(input: unknown): unknown {
    return this.format === 'hcl' && isObject(input) ? [input] : input;
  }
}

export function decodeSource(
  fields: Fields,
  input: unknown,
  format: Format,
  definitions: DefinitionReader,
): Result<DecodedSource, string> {
  const walk = new Walk(format);
  const raw = readFields(fields, input, '', walk, definitions);
  if (walk.types.length > 0) return err(decodingErrors(walk.types));
  if (walk.unknown.length > 0) {
    return err(problemList([...walk.unknown].sort().map((path) => `invalid config key ${path}`)));
  }
  return ok({ raw: raw ?? {}, problems: walk.problems, notices: walk.notices });
}

export function isObject(input: unknown): input is Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

/**
 * Pairs the keys of `input` with declared names: the exact spelling first, else the first that differs in case only, or
 * an alias. What is left over is unknown.
 */
function matchKeys(
  input: Record<string, unknown>,
  names: ReadonlyMap<string, string>,
  path: string,
  walk: Walk,
): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const taken = new Set<string>();
  const place = (given: string): string => (path === '' ? given : `${path}.${given}`);
  for (const exact of [true, false]) {
    for (const given of Object.keys(input)) {
      const name = names.get(exact ? given : given.toLowerCase());
      if (name === undefined || found.has(name) || taken.has(given)) continue;
      if (exact && given !== given.toLowerCase() && name !== given) continue;
      taken.add(given);
      found.set(name, input[given]);
    }
  }
  for (const given of Object.keys(input)) if (!taken.has(given)) walk.unknown.push(place(given));
  return found;
}

const namesOf = new WeakMap<object, ReadonlyMap<string, string>>();
function fieldNames(fields: Fields): ReadonlyMap<string, string> {
  let names = namesOf.get(fields);
  if (names === undefined) {
    names = new Map(
      Object.entries(fields).flatMap(([name, key]) =>
        [name, ...(key.doc.aliases ?? [])].map((spelling): [string, string] => [spelling.toLowerCase(), name]),
      ),
    );
    namesOf.set(fields, names);
  }
  return names;
}

function readFields(
  fields: Fields,
  given: unknown,
  path: string,
  walk: Walk,
  definitions: DefinitionReader,
): Record<string, unknown> | undefined {
  const input = walk.single(given);
  if (!isObject(input)) return walk.mismatch(path, 'map', given);
  const out: Record<string, unknown> = {};
  for (const [name, value] of matchKeys(input, fieldNames(fields), path, walk)) {
    if (value === null) continue;
    const at = path === '' ? name : `${path}.${name}`;
    const read = readKey(fields[name]!, value, at, walk, definitions);
    if (read !== undefined) out[name] = read;
  }
  return out;
}

function readKey(key: Key, given: unknown, path: string, walk: Walk, definitions: DefinitionReader): unknown {
  const input = walk.single(given);
  switch (key.kind) {
    case 'object':
      return readFields(key.fields, given, path, walk, definitions);
    case 'string':
    case 'duration':
      return typeof input === 'string' ? input : walk.mismatch(path, 'string', input);
    case 'bool':
      return typeof input === 'boolean' ? input : walk.mismatch(path, 'bool', input);
    case 'int':
      return typeof input === 'number' ? Math.trunc(input) : walk.mismatch(path, 'int', input);
    case 'float':
      return typeof input === 'number' ? input : walk.mismatch(path, 'float64', input);
    case 'list':
      return readList(given, path, walk);
    case 'map':
      return readMap(input, path, walk);
    case 'opaque':
      return isObject(input) ? input : walk.mismatch(path, 'map', given);
    case 'opaques':
      return readEach(given, path, walk, (item, at) => {
        const one = walk.single(item);
        return isObject(one) ? one : walk.mismatch(at, 'map', item);
      });
    case 'service':
    case 'check':
      return definitions.read(key.kind, input, path, walk);
    case 'services':
      return readEach(given, path, walk, (item, at) => definitions.read('service', item, at, walk));
    case 'checks':
      return readEach(given, path, walk, (item, at) => definitions.read('check', item, at, walk));
  }
}

function readEach<T>(given: unknown, path: string, walk: Walk, read: (item: unknown, at: string) => T | undefined) {
  const input = walk.many(given);
  if (!Array.isArray(input)) return walk.mismatch(path, 'slice', input);
  return input.flatMap((item, i) => {
    const value = read(item, `${path}[${i}]`);
    return value === undefined ? [] : [value];
  });
}

function readList(given: unknown, path: string, walk: Walk): readonly string[] | undefined {
  if (!Array.isArray(given)) return walk.mismatch(path, 'slice', given);
  return given.flatMap((item, i) => {
    if (typeof item === 'string') return [item];
    walk.mismatch(`${path}[${i}]`, 'string', item);
    return [];
  });
}

function readMap(input: unknown, path: string, walk: Walk): Record<string, string> | undefined {
  if (!isObject(input)) return walk.mismatch(path, 'map', input);
  const out: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(input)) {
    if (typeof value === 'string') out[name] = value;
    else walk.mismatch(`${path}[${name}]`, 'string', value);
  }
  return out;
}

/** How files spell fields that are not simply the snake case of the API's name; `undefined`: not a key of files. */
export type FileNames = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Reads a record of `structs` in its file form. Durations become nanoseconds; a wrong one is a problem of the value, not
 * of the type. Absent fields hold their zero.
 */
export function readRecord(
  schema: Schema<unknown>,
  given: unknown,
  path: string,
  walk: Walk,
  names: (goType: string) => FileNames,
): Record<string, unknown> {
  const out = schema.zero() ?? Object.fromEntries(Object.entries(schema.fields!).map(([k, f]) => [k, f.schema.zero()]));
  const record = out as Record<string, unknown>;
  const input = walk.single(given);
  if (!isObject(input)) {
    walk.mismatch(path, 'map', given);
    return record;
  }
  const special = names(schema.goType);
  const byName = new Map<string, string>();
  const spelling = new Map<string, string>();
  for (const [name, entry] of Object.entries(schema.fields!)) {
    if (entry.outputOnly) continue;
    const own = name in special ? special[name] : snakeCase(name);
    if (own === undefined) continue;
    const all = typeof own === 'string' ? [own] : own;
    for (const word of all) byName.set(word, name);
    spelling.set(name, all[0]!);
  }
  for (const [name, value] of matchKeys(input, byName, path, walk)) {
    if (value === null) continue;
    const read = readSchema(schema.fields![name]!.schema, value, `${path}.${spelling.get(name)}`, walk, names);
    if (read !== undefined) record[name] = read;
  }
  return record;
}

function readSchema(
  schema: Schema<unknown>,
  given: unknown,
  path: string,
  walk: Walk,
  names: (goType: string) => FileNames,
): unknown {
  const input = walk.single(given);
  switch (schema.kind) {
    case 'record':
      return readRecord(schema, given, path, walk, names);
    case 'list':
      return readEach(given, path, walk, (item, at) => readSchema(schema.element!, item, at, walk, names));
    case 'map': {
      if (!isObject(input)) return walk.mismatch(path, 'map', input);
      return Object.fromEntries(
        Object.entries(input).flatMap(([name, item]) => {
          const value = item === null ? undefined : readSchema(schema.element!, item, `${path}[${name}]`, walk, names);
          return value === undefined ? [] : [[name, value]];
        }),
      );
    }
    case 'json':
      return given;
    case 'duration': {
      if (typeof input !== 'string') return walk.mismatch(path, 'string', input);
      const parsed = parseDuration(input);
      if (parsed.ok) return parsed.value;
      walk.problems.push(`${path}: invalid duration: "${input}": ${parsed.error}`);
      return 0;
    }
    case 'bool':
      return typeof input === 'boolean' ? input : walk.mismatch(path, 'bool', input);
    case 'int':
    case 'uint64':
      return typeof input === 'number' ? Math.trunc(input) : walk.mismatch(path, 'int', input);
    case 'float':
      return typeof input === 'number' ? input : walk.mismatch(path, 'float64', input);
    default:
      return typeof input === 'string' ? input : walk.mismatch(path, 'string', input);
  }
}
