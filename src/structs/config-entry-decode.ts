/**
 * Reading a config entry that people wrote: over HTTP, in a file for the command line, in an agent's bootstrap list.
 *
 * More lenient than other records: keys in CamelCase (any letter case) or snake_case at every level, numbers and booleans
 * as strings and the other way round, a single value for a list, a list of one for an object. Unknown keys are refused, all
 * of them at once. The schema stays the one definition: this file brings the input into the form that the schema reads.
 */
import { parseDuration } from '../std/duration.ts';
import { JsonNumber } from '../std/json-value.ts';
import { err, type Result } from '../std/result.ts';
import { type ConfigEntry, configEntryKinds, configEntrySchema } from './config-entry.ts';
import { errorList } from './error-list.ts';
import { compareText } from './intention-source.ts';
import { decode, type Field, type Schema, snakeCase } from './schema/index.ts';

type Plain = Readonly<Record<string, unknown>>;

/** The error is the reason, without the caller's prefix (`Request decoding failed: `, `config_entries.bootstrap[0]: `). */
export function decodeConfigEntry(input: unknown): Result<ConfigEntry, string> {
  if (input !== null && !isPlain(input)) return err(`'' expected a map, got '${goKind(input)}'`);
  const payload: Plain = input ?? {};
  const kind = payload.kind ?? payload.Kind;
  if (kind === undefined || kind === null) return err('Payload does not contain a kind/Kind key at the top level');
  if (typeof kind !== 'string') return err('Kind value in payload is not a string');
  const schema = configEntrySchema(kind);
  if (schema === undefined) {
    const known = configEntryKinds.includes(kind);
    return err(
      known ? `config entry kind ${JSON.stringify(kind)} is not supported by this version` : invalidKind(kind),
    );
  }

  const reading: Reading = { mismatches: [], unknown: [] };
  const shaped = shape(schema as Schema<unknown>, payload, '', reading);
  if (reading.mismatches.length > 0) {
    const list = reading.mismatches.map((text) => `* ${text}`).join('\n');
    return err(`${reading.mismatches.length} error(s) decoding:\n\n${list}`);
  }
  if (reading.unknown.length > 0) return err(errorList(reading.unknown.sort(compareText).map(unknownKey)));
  return decode(schema, shaped, { naming: 'api', unknown: 'refuse' });
}

export function invalidKind(kind: string): string {
  return `invalid config entry kind: ${kind}`;
}

interface Reading {
  readonly mismatches: string[];
  readonly unknown: string[];
}

function unknownKey(path: string): string {
  const text = `invalid config key ${JSON.stringify(path)}`;
  return path.toLowerCase().endsWith('namespace') ? `${text}, namespaces are a consul enterprise feature` : text;
}

function shape(schema: Schema<unknown>, given: unknown, path: string, reading: Reading): unknown {
  if (given === null || given === undefined) return null;
  const input = given instanceof JsonNumber ? Number(given) : given;
  switch (schema.kind) {
    case 'record':
      return shapeRecord(schema, input, path, reading);
    case 'list':
      return shapeList(schema, input, path, reading);
    case 'map':
      return shapeMap(schema, input, path, reading);
    case 'json':
      return input;
    default:
      return shapeScalar(schema, input, path, reading);
  }
}

function shapeRecord(schema: Schema<unknown>, given: unknown, path: string, reading: Reading): unknown {
  const input = Array.isArray(given) && given.length === 1 ? given[0] : given;
  if (Array.isArray(given) && given.length === 0) return null;
  if (!isPlain(input)) {
    reading.mismatches.push(`'${path}' expected a map, got '${goKind(input)}'`);
    return null;
  }
  const names = namesOf(schema);
  const plain: Record<string, unknown> = {};
  const byAlias: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(input)) {
    const found = names.get(key.toLowerCase());
    if (found === undefined) {
      reading.unknown.push(path === '' ? key : `${path}.${key}`);
      continue;
    }
    const at = path === '' ? found.name : `${path}.${found.name}`;
    (found.alias ? byAlias : plain)[found.name] = shape(found.field.schema, value, at, reading);
  }
  return { ...byAlias, ...plain };
}

interface FieldName {
  readonly name: string;
  readonly field: Field<unknown>;
  /** The snake_case form, which counts only where the plain one is absent. */
  readonly alias: boolean;
}
const namesBySchema = new WeakMap<object, Map<string, FieldName>>();

function namesOf(schema: Schema<unknown>): Map<string, FieldName> {
  const known = namesBySchema.get(schema);
  if (known !== undefined) return known;
  const names = new Map<string, FieldName>();
  for (const [name, field] of Object.entries(schema.fields ?? {})) {
    names.set(snakeCase(name), { name, field, alias: true });
    names.set(name.toLowerCase(), { name, field, alias: false });
  }
  namesBySchema.set(schema, names);
  return names;
}

function shapeList(schema: Schema<unknown>, input: unknown, path: string, reading: Reading): unknown {
  const items = Array.isArray(input) ? input : isPlain(input) && Object.keys(input).length === 0 ? [] : [input];
  return items.map((item, i) => shape(schema.element!, item, `${path}[${i}]`, reading));
}

function shapeMap(schema: Schema<unknown>, input: unknown, path: string, reading: Reading): unknown {
  // HCL makes a list of a repeated block; its parts are one map.
  const parts = Array.isArray(input) ? input : [input];
  const out: Record<string, unknown> = {};
  for (const part of parts) {
    if (!isPlain(part)) {
      reading.mismatches.push(`'${path}' expected a map, got '${goKind(input)}'`);
      return null;
    }
    for (const [key, item] of Object.entries(part)) {
      const value = shape(schema.element!, item, `${path}[${key}]`, reading);
      Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
    }
  }
  return out;
}

function shapeScalar(schema: Schema<unknown>, input: unknown, path: string, reading: Reading): unknown {
  if (typeof input === 'object') {
    const expected = schema.kind === 'duration' ? 'int64' : schema.goType;
    const text = JSON.stringify(input, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
    reading.mismatches.push(
      `'${path}' expected type '${expected}', got unconvertible type '${goType(input)}', value: '${text}'`,
    );
    return null;
  }
  switch (schema.kind) {
    case 'string':
      return typeof input === 'boolean' ? (input ? '1' : '0') : String(input);
    case 'bool':
      return shapeBool(input, path, reading);
    case 'duration':
      return shapeDuration(input, path, reading);
    default:
      return shapeNumber(schema, input, path, reading);
  }
}

function shapeBool(input: unknown, path: string, reading: Reading): unknown {
  if (typeof input === 'boolean') return input;
  if (typeof input === 'number' || typeof input === 'bigint') return Number(input) !== 0;
  if (input === '' || /^(0|f|F|FALSE|false|False)$/.test(input as string)) return false;
  if (/^(1|t|T|TRUE|true|True)$/.test(input as string)) return true;
  const text = `strconv.ParseBool: parsing ${JSON.stringify(input)}: invalid syntax`;
  reading.mismatches.push(`cannot parse '${path}' as bool: ${text}`);
  return null;
}

function shapeDuration(input: unknown, path: string, reading: Reading): unknown {
  if (typeof input === 'boolean') return input ? 1 : 0;
  if (typeof input !== 'string') return input;
  const parsed = parseDuration(input);
  if (parsed.ok) return parsed.value;
  const field = path.slice(path.lastIndexOf('.') + 1);
  reading.mismatches.push(`error decoding '${path === field ? field : path}': ${parsed.error}`);
  return null;
}

function shapeNumber(schema: Schema<unknown>, input: unknown, path: string, reading: Reading): unknown {
  if (typeof input === 'boolean') return input ? 1 : 0;
  const value = typeof input === 'string' ? numberOf(input) : Number(input);
  const whole = schema.kind !== 'float';
  if (value !== undefined && (whole ? Number.isSafeInteger(value) : Number.isFinite(value))) return value;
  const text = `strconv.ParseInt: parsing ${JSON.stringify(String(input))}: invalid syntax`;
  reading.mismatches.push(`cannot parse '${path}' as ${schema.goType}: ${text}`);
  return null;
}

/** Go integer syntax: decimal, 0x, 0o or 0, 0b. */
function numberOf(text: string): number | undefined {
  if (text === '') return 0;
  if (/^[+-]?(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.test(text)) {
    const sign = text.startsWith('-') ? -1 : 1;
    return sign * Number(text.replace(/^[+-]/, ''));
  }
  if (/^[+-]?0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  return /^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : typeof value === 'object' ? 'map' : 'float64';
}

function goType(value: unknown): string {
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}
