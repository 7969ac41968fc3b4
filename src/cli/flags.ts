/**
 * Flags as Go's `flag` package reads them, since every script written for the field's tools types them so: `-name value`,
 * `-name=value`, `--name` the same; a boolean takes a value only with `=`; parsing stops at the first word that is not a
 * flag, or after `--`.
 */
import { parseDuration } from '../std/duration.ts';
import { err, ok, type Result } from '../std/result.ts';

export type FlagType = 'bool' | 'string' | 'int' | 'uint' | 'float' | 'duration' | 'list' | 'map';

export interface FlagSpec {
  readonly name: string;
  readonly type: FlagType;
  /** Shown as `-name=<placeholder>`; by default the type's own word. */
  readonly placeholder?: string;
  readonly help: string;
  readonly default?: string | number | boolean;
  /** Values of a list are gathered under this name, so that the order among several flags stays. */
  readonly into?: string;
  /** Why this text cannot be a value of a `string` or `list` flag, or null. */
  readonly check?: (text: string) => string | null;
}

export type FlagValue = string | number | boolean | readonly string[] | Readonly<Record<string, string>>;

/** Values given, by name; flags that were not typed are absent. */
export class FlagValues {
  readonly #values: ReadonlyMap<string, FlagValue>;
  readonly #specs: readonly FlagSpec[];

  constructor(values: ReadonlyMap<string, FlagValue>, specs: readonly FlagSpec[]) {
    this.#values = values;
    this.#specs = specs;
  }

  given(name: string): boolean {
    return this.#values.has(name);
  }
  string(name: string): string {
    return String(this.#value(name) ?? '');
  }
  bool(name: string): boolean {
    return this.#value(name) === true;
  }
  number(name: string): number {
    return Number(this.#value(name) ?? 0);
  }
  list(name: string): readonly string[] {
    return (this.#values.get(name) as readonly string[] | undefined) ?? [];
  }
  map(name: string): Readonly<Record<string, string>> {
    return (this.#values.get(name) as Readonly<Record<string, string>> | undefined) ?? {};
  }
  entries(): IterableIterator<[string, FlagValue]> {
    return this.#values.entries();
  }

  #value(name: string): FlagValue | undefined {
    return this.#values.get(name) ?? this.#specs.find((spec) => spec.name === name)?.default;
  }
}

export interface Parsed {
  readonly flags: FlagValues;
  readonly args: readonly string[];
}

/** The error is the one line that Go prints before the usage. */
export function parseFlags(words: readonly string[], specs: readonly FlagSpec[]): Result<Parsed, string> {
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  const values = new Map<string, FlagValue>();
  let i = 0;
  while (i < words.length) {
    const word = words[i]!;
    if (word.length < 2 || word[0] !== '-') break;
    i++;
    if (word === '--') break;
    const body = word.slice(word.startsWith('--') ? 2 : 1);
    if (body === '' || body.startsWith('-') || body.startsWith('=')) return err(`bad flag syntax: ${word}`);
    const equals = body.indexOf('=');
    const name = equals < 0 ? body : body.slice(0, equals);
    const spec = byName.get(name);
    if (spec === undefined) return err(`flag provided but not defined: -${name}`);
    let text = equals < 0 ? undefined : body.slice(equals + 1);
    if (spec.type === 'bool') {
      const value = text === undefined ? true : parseBool(text);
      if (value === undefined) return err(`invalid boolean value ${JSON.stringify(text)} for -${name}: parse error`);
      values.set(name, value);
      continue;
    }
    if (text === undefined) {
      if (i >= words.length) return err(`flag needs an argument: -${name}`);
      text = words[i++]!;
    }
    const gathered = spec.into ?? name;
    const value = readValue(spec, text, values.get(gathered));
    if (!value.ok) return err(`invalid value ${JSON.stringify(text)} for flag -${name}: ${value.error}`);
    values.set(gathered, value.value);
  }
  return ok({ flags: new FlagValues(values, specs), args: words.slice(i) });
}

export function parseBool(text: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  return undefined;
}

function readValue(spec: FlagSpec, text: string, before: FlagValue | undefined): Result<FlagValue, string> {
  const refused = spec.check?.(text) ?? null;
  if (refused !== null) return err(refused);
  switch (spec.type) {
    case 'int':
      return /^[+-]?(0[xX][0-9a-fA-F]+|\d+)$/.test(text) ? ok(Number(text)) : err('parse error');
    case 'uint':
      return /^(0[xX][0-9a-fA-F]+|\d+)$/.test(text) ? ok(text.length > 15 ? text : Number(text)) : err('parse error');
    case 'float':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? ok(Number(text)) : err('parse error');
    case 'duration': {
      const parsed = parseDuration(text);
      return parsed.ok ? ok(text) : err('parse error');
    }
    case 'list':
      return ok([...((before as readonly string[] | undefined) ?? []), text]);
    case 'map': {
      const equals = text.indexOf('=');
      if (equals < 0) return err(`Missing "=" value in argument: ${text}`);
      return ok({ ...((before as object | undefined) ?? {}), [text.slice(0, equals)]: text.slice(equals + 1) });
    }
    default:
      return ok(text);
  }
}

/** `-name=<placeholder>` in help; booleans have none. */
export function placeholderOf(spec: FlagSpec): string {
  if (spec.placeholder !== undefined) return spec.placeholder;
  return spec.type === 'list' || spec.type === 'map' ? 'value' : spec.type === 'float' ? 'float' : spec.type;
}
