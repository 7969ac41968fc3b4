/** Schemas of lists, maps, and of values of any form. */
import { jsonText, quote } from './json-text.ts';
import { isNumber, mismatch, type Schema } from './schema.ts';

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
