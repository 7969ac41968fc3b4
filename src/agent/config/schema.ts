/**
 * How an agent's settings are declared: once, here and in `keys/`. The decoder, the merge, the flags, `--help`, the
 * documentation and `DebugConfig` read these declarations; nothing says a key a second time.
 */

export interface Doc {
  /** One line for people: what it does. */
  readonly help: string;
  /** The flag's name without dashes, for keys that have one. */
  readonly flag?: string;
  /** Applied by a reload (HUP, `heddle reload`); everything else needs a restart. */
  readonly reload?: true;
  /** Never printed: `hidden` stands in its place. */
  readonly secret?: true;
  /** Unit of a plain number. */
  readonly unit?: string;
  /** Why the default is what it is, where that is not plain. */
  readonly why?: string;
  /** Bounds of a number, both included. */
  readonly min?: number;
  readonly max?: number;
  /** Accepted, and without effect here: the reason. */
  readonly inert?: string;
  /** This version cannot honour it and ignoring it would be wrong: an agent that finds it set does not start. */
  readonly refused?: string;
  /** Accepted in files, warned about: it belongs to the reference's enterprise edition. */
  readonly enterprise?: true;
  /** Warned about when present; the text names the new key. */
  readonly deprecated?: string;
  /** Other spellings of the key that files may use. */
  readonly aliases?: readonly string[];
}

export interface StringKey {
  readonly kind: 'string';
  readonly fallback: string;
  readonly doc: Doc;
}
export interface BoolKey<T extends boolean | undefined = boolean> {
  readonly kind: 'bool';
  readonly fallback: T;
  readonly doc: Doc;
}
export interface NumberKey<T extends number | undefined = number> {
  readonly kind: 'int' | 'float';
  readonly fallback: T;
  readonly doc: Doc;
}
/** Written as Go writes durations; nanoseconds once settled. */
export interface DurationKey {
  readonly kind: 'duration';
  readonly fallback: string;
  readonly doc: Doc;
}
export interface ListKey {
  readonly kind: 'list';
  readonly fallback: readonly string[];
  readonly doc: Doc;
}
export interface MapKey {
  readonly kind: 'map';
  readonly fallback: Readonly<Record<string, string>>;
  readonly doc: Doc;
}
/** An object whose inside is somebody else's: kept as it came. */
export interface OpaqueKey {
  readonly kind: 'opaque';
  readonly doc: Doc;
}
/** A list of opaque objects (config entries, watches, segments). */
export interface OpaqueListKey {
  readonly kind: 'opaques';
  readonly doc: Doc;
}
/** One service or check definition, or a list of them: `definitions/` reads the inside. */
export interface DefinitionKey {
  readonly kind: 'service' | 'services' | 'check' | 'checks';
  readonly doc: Doc;
}
export interface ObjectKey<F extends Fields = Fields> {
  readonly kind: 'object';
  readonly fields: F;
  readonly doc: Doc;
}

export type LeafKey =
  | StringKey
  | BoolKey<boolean | undefined>
  | NumberKey<number | undefined>
  | DurationKey
  | ListKey
  | MapKey
  | OpaqueKey
  | OpaqueListKey
  | DefinitionKey;
export type Key = LeafKey | ObjectKey;
export interface Fields {
  readonly [name: string]: Key;
}

export type Opaque = { readonly [key: string]: unknown };

/** What one source says: only the keys it holds, durations still text. */
export type Raw<K> =
  K extends ObjectKey<infer F>
    ? RawFields<F>
    : K extends StringKey | DurationKey
      ? string
      : K extends BoolKey<infer _>
        ? boolean
        : K extends NumberKey<infer _>
          ? number
          : K extends ListKey
            ? readonly string[]
            : K extends MapKey
              ? Readonly<Record<string, string>>
              : K extends OpaqueListKey | { kind: 'services' | 'checks' }
                ? readonly Opaque[]
                : Opaque;
export type RawFields<F extends Fields> = { readonly [K in keyof F]?: Raw<F[K]> };

/** Every key with its value: what was said, or the default. Durations are nanoseconds. */
export type Settled<K> =
  K extends ObjectKey<infer F>
    ? SettledFields<F>
    : K extends StringKey
      ? string
      : K extends DurationKey
        ? number
        : K extends BoolKey<infer T>
          ? T
          : K extends NumberKey<infer T>
            ? T
            : K extends ListKey
              ? readonly string[]
              : K extends MapKey
                ? Readonly<Record<string, string>>
                : K extends OpaqueListKey | { kind: 'services' | 'checks' }
                  ? readonly Opaque[]
                  : K extends { kind: 'service' | 'check' }
                    ? Opaque | undefined
                    : Opaque;
export type SettledFields<F extends Fields> = { readonly [K in keyof F]: Settled<F[K]> };

const doc = (help: string | Doc): Doc => (typeof help === 'string' ? { help } : help);

export const string = (help: string | Doc, fallback = ''): StringKey => ({ kind: 'string', fallback, doc: doc(help) });
export const bool = (help: string | Doc, fallback = false): BoolKey => ({ kind: 'bool', fallback, doc: doc(help) });
/** Its default follows from other settings. */
export const maybeBool = (help: string | Doc): BoolKey<boolean | undefined> => ({
  kind: 'bool',
  fallback: undefined,
  doc: doc(help),
});
export const int = (help: string | Doc, fallback = 0): NumberKey => ({ kind: 'int', fallback, doc: doc(help) });
export const maybeInt = (help: string | Doc): NumberKey<number | undefined> => ({
  kind: 'int',
  fallback: undefined,
  doc: doc(help),
});
export const float = (help: string | Doc, fallback = 0): NumberKey => ({ kind: 'float', fallback, doc: doc(help) });
export const duration = (help: string | Doc, fallback = '0s'): DurationKey => ({
  kind: 'duration',
  fallback,
  doc: doc(help),
});
export const list = (help: string | Doc, fallback: readonly string[] = []): ListKey => ({
  kind: 'list',
  fallback,
  doc: doc(help),
});
export const map = (help: string | Doc): MapKey => ({ kind: 'map', fallback: {}, doc: doc(help) });
export const opaque = (help: string | Doc): OpaqueKey => ({ kind: 'opaque', doc: doc(help) });
export const opaques = (help: string | Doc): OpaqueListKey => ({ kind: 'opaques', doc: doc(help) });
export const definition = <K extends DefinitionKey['kind']>(kind: K, help: string): DefinitionKey & { kind: K } => ({
  kind,
  doc: doc(help),
});
export const object = <F extends Fields>(help: string | Doc, fields: F): ObjectKey<F> => ({
  kind: 'object',
  fields,
  doc: doc(help),
});

export interface NamedKey {
  /** Dotted, as errors and documents print it. */
  readonly path: string;
  readonly key: LeafKey;
}

/** Every leaf of a declaration, in the order declared. */
export function leaves(fields: Fields, prefix = ''): NamedKey[] {
  return Object.entries(fields).flatMap(([name, key]) =>
    key.kind === 'object' ? leaves(key.fields, `${prefix}${name}.`) : [{ path: prefix + name, key }],
  );
}
