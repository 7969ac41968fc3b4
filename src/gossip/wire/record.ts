/**
 * Records: a message body is declared once, as field names and types, and that gives the TypeScript type, the encoder
 * and the decoder. Encoders write the keys in ASCII order; decoders take any order, skip unknown keys and fill missing
 * ones with the zero value, as Go does.
 */
import { addressFromBytes, addressToBytes } from './address.ts';
import { Malformed } from './malformed.ts';
import { MsgpackReader, MsgpackWriter } from './msgpack.ts';

export interface Field<T> {
  readonly zero: T;
  /** Leave the key out when the value is zero. */
  readonly omitZero?: boolean;
  write(writer: MsgpackWriter, value: T): void;
  read(reader: MsgpackReader): T;
}

type Shape = Readonly<Record<string, Field<unknown>>>;
type RecordOf<S extends Shape> = { readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never };

export interface RecordCodec<T> extends Field<T> {
  encode(value: T, prefix?: number): Uint8Array;
  /** One value and nothing after it. Throws Malformed. */
  decode(bytes: Uint8Array, start?: number): T;
}

/** What the codec makes: `type Ping = Infer<typeof ping>`. */
export type Infer<C> = C extends RecordCodec<infer T> ? T : never;

/** Encoding is synchronous and never nests, so all records share one buffer. */
const scratch = new MsgpackWriter(4096);

interface Slot {
  readonly name: string;
  readonly key: Uint8Array;
  readonly field: Field<unknown>;
}

export function record<S extends Shape>(shape: S): RecordCodec<RecordOf<S>> {
  const names = Object.keys(shape).sort((a, b) => (a < b ? -1 : 1));
  const slots: Slot[] = names.map((name) => ({ name, key: encodeKey(name), field: shape[name]! }));
  const byName = new Map(slots.map((slot) => [slot.name, slot]));
  const zero = Object.fromEntries(slots.map((slot) => [slot.name, slot.field.zero]));
  const omitting = slots.some((slot) => slot.field.omitZero);

  const write = (writer: MsgpackWriter, value: Record<string, unknown>): void => {
    const present = omitting ? slots.filter((slot) => !(slot.field.omitZero && isZero(value[slot.name], slot))) : slots;
    writer.mapHeader(present.length);
    for (const slot of present) {
      writer.raw(slot.key);
      slot.field.write(writer, value[slot.name]);
    }
  };
  const read = (reader: MsgpackReader): Record<string, unknown> => {
    const count = reader.mapHeader();
    if (count === null) return zero;
    const out: Record<string, unknown> = { ...zero };
    let expected = 0;
    for (let i = 0; i < count; i++) {
      // The usual sender writes our keys in our order: compare bytes before making text of them.
      let slot = slots[expected];
      if (slot === undefined || !startsWith(reader.bytes, reader.position, slot.key)) {
        slot = byName.get(reader.text());
        if (slot === undefined) {
          reader.skip();
          continue;
        }
        expected = slots.indexOf(slot);
      } else {
        reader.position += slot.key.length;
      }
      expected++;
      out[slot.name] = slot.field.read(reader);
    }
    return out;
  };
  const codec = {
    zero,
    write,
    read,
    encode(value: Record<string, unknown>, prefix?: number): Uint8Array {
      scratch.reset();
      if (prefix !== undefined) scratch.byte(prefix);
      write(scratch, value);
      return scratch.finish();
    },
    decode(bytes: Uint8Array, start = 0): Record<string, unknown> {
      const reader = new MsgpackReader(bytes, start);
      const value = read(reader);
      if (reader.remaining > 0) throw new Malformed('malformed', `${reader.remaining} bytes left over`);
      return value;
    },
  };
  return codec as unknown as RecordCodec<RecordOf<S>>;
}

function encodeKey(name: string): Uint8Array {
  const writer = new MsgpackWriter(name.length + 5);
  writer.text(name);
  return writer.finish();
}

function isZero(value: unknown, slot: Slot): boolean {
  return value === slot.field.zero || (value instanceof Uint8Array && value.length === 0);
}

function startsWith(bytes: Uint8Array, at: number, key: Uint8Array): boolean {
  if (at + key.length > bytes.length) return false;
  for (let i = 0; i < key.length; i++) if (bytes[at + i] !== key[i]) return false;
  return true;
}

function integer(min: number, max: number): Field<number> {
  return { zero: 0, write: (writer, value) => writer.int(value), read: (reader) => reader.int(min, max) };
}

export const u8 = integer(0, 0xff);
export const u16 = integer(0, 0xffff);
export const u32 = integer(0, 0xffff_ffff);
/** A Go `int` or `int64`; beyond 2^53 is malformed. */
export const int64 = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
/**
 * A Lamport time. The wire allows 2^64; a value beyond 2^53 would take millennia of honest counting, can only be
 * forged, and is malformed here: it would push every clock of the pool to the edge of overflow.
 */
export const u64 = integer(0, Number.MAX_SAFE_INTEGER - 1);

export const bool: Field<boolean> = {
  zero: false,
  write: (writer, value) => writer.bool(value),
  read: (reader) => reader.bool(),
};

export const float64: Field<number> = {
  zero: 0,
  write: (writer, value) => writer.float64(value),
  read: (reader) => reader.float64(),
};

export const text: Field<string> = {
  zero: '',
  write: (writer, value) => writer.text(value),
  read: (reader) => reader.text(),
};

/** Bytes where nil and empty differ on the wire. */
export const bytes: Field<Uint8Array | null> = {
  zero: null,
  write: (writer, value) => (value === null ? writer.nil() : writer.bytes(value)),
  read: (reader) => reader.byteArray(),
};

/** An IP address: 4 or 16 bytes on the wire, text here; empty is ''. */
export const address: Field<string> = {
  zero: '',
  write: (writer, value) => writer.bytes(addressToBytes(value)),
  read: (reader) => addressFromBytes(reader.byteArray()),
};

export function omitZero<T>(field: Field<T>): Field<T> {
  return { ...field, omitZero: true };
}

/** A list; nil stays null. */
export function list<T>(element: Field<T>): Field<readonly T[] | null> {
  return {
    zero: null,
    write(writer, value) {
      if (value === null) return writer.nil();
      writer.listHeader(value.length);
      for (const item of value) element.write(writer, item);
    },
    read(reader) {
      const count = reader.listHeader();
      if (count === null) return null;
      const items: T[] = [];
      for (let i = 0; i < count; i++) items.push(element.read(reader));
      return items;
    },
  };
}

/** A value or nil. */
export function nullable<T>(field: Field<T>): Field<T | null> {
  return {
    zero: null,
    write: (writer, value) => (value === null ? writer.nil() : field.write(writer, value)),
    read: (reader) => (reader.tryNil() ? null : field.read(reader)),
  };
}

/** A map from text; nil is empty. Keys are written in their given order. */
export function textMap<T>(value: Field<T>): Field<ReadonlyMap<string, T>> {
  return {
    zero: new Map<string, T>(),
    write(writer, map) {
      writer.mapHeader(map.size);
      for (const [key, item] of map) {
        writer.text(key);
        value.write(writer, item);
      }
    },
    read(reader) {
      const count = reader.mapHeader() ?? 0;
      const map = new Map<string, T>();
      for (let i = 0; i < count; i++) {
        const key = reader.text();
        map.set(key, value.read(reader));
      }
      return map;
    },
  };
}
