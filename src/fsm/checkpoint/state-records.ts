/**
 * The state as a file that any later release can read: `state.bin` of a snapshot archive.
 *
 *     "HEDDLE" version(1 byte)  header length (u32)  header (msgpack map: LastIndex)
 *     then, to the end, records: key length (u32)  key  value length (u32)  value
 *
 * A record is a row of a table, or a counter, as stored (tables/definitions.ts has the letters). Secondary orders are not
 * in it: whoever takes the rows in makes them again, as its own release keeps them. Numbers are big-endian.
 */

import { HeddleError } from '../../std/errors.ts';
import { counterLetter, definitionOf, tableNames } from '../tables/definitions.ts';
import { decodeRow, encodeRow } from '../tables/row-codec.ts';
import { tablePrefix } from '../tables/row-key.ts';
import { StateRows } from '../tables/state-rows.ts';
import type { Storage } from '../tables/storage.ts';

const stateFileVersion = 1;
const magic = 'HEDDLE';
const preambleBytes = magic.length + 1 + 4;
/** No row is larger; a length beyond says that the file is no state. */
const lengthMax = 64 * 1024 * 1024;

export interface StateHeader {
  /** The highest index that the state has reported. */
  readonly LastIndex: number;
}

export type StateRecord = readonly [key: string, value: Uint8Array];

/** The state in pieces, each of about `pieceBytes`. Reads the storage as it goes: give it one that stands still. */
export function* writeState(storage: Storage, pieceBytes = 256 * 1024): Iterable<Uint8Array> {
  const { meta } = new StateRows(storage);
  const header = encodeRow({ LastIndex: meta.raftIndex + meta.indexOffset } satisfies StateHeader);
  let parts: Uint8Array[] = [Buffer.from(magic), Buffer.of(stateFileVersion), length(header.length), header];
  let size = 0;
  for (const letter of [counterLetter, ...tableNames.map((name) => definitionOf(name).letter)]) {
    for (const { key, value } of storage.range(meta.generation + tablePrefix(letter))) {
      const name = Buffer.from(key.slice(meta.generation.length), 'utf8');
      parts.push(length(name.length), name, length(value.length), value);
      size += 8 + name.length + value.length;
      if (size < pieceBytes) continue;
      yield Buffer.concat(parts);
      parts = [];
      size = 0;
    }
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}

/** Takes the pieces of a state file in any cut, and gives records back. Throws `STATE_FILE_BAD`. */
export class StateFileReader {
  #rest: Buffer = Buffer.alloc(0);
  #header: StateHeader | undefined;

  get header(): StateHeader | undefined {
    return this.#header;
  }

  /** The records that are complete with this piece. */
  push(piece: Uint8Array): readonly StateRecord[] {
    this.#rest = this.#rest.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#rest, piece]);
    let at = this.#header === undefined ? this.#readHeader() : 0;
    const records: StateRecord[] = [];
    while (this.#header !== undefined) {
      const key = this.#field(at);
      const value = key === undefined ? undefined : this.#field(key.end);
      if (key === undefined || value === undefined) break;
      records.push([key.bytes.toString('utf8'), value.bytes]);
      at = value.end;
    }
    this.#rest = this.#rest.subarray(at);
    return records;
  }

  /** The file is over: it must have had a header, and no half record. */
  end(): void {
    if (this.#header === undefined) throw bad('it has no header');
    if (this.#rest.length > 0) throw bad('it ends within a record');
  }

  #readHeader(): number {
    if (this.#rest.length < preambleBytes) return 0;
    if (this.#rest.toString('latin1', 0, magic.length) !== magic) throw bad('it does not begin as one');
    const version = this.#rest[magic.length]!;
    if (version !== stateFileVersion) throw bad(`its version is ${version}; this release reads ${stateFileVersion}`);
    const header = this.#field(magic.length + 1);
    if (header === undefined) return 0;
    this.#header = decodeRow<StateHeader>(header.bytes);
    return header.end;
  }

  #field(at: number): { readonly bytes: Buffer; readonly end: number } | undefined {
    if (this.#rest.length < at + 4) return undefined;
    const size = this.#rest.readUInt32BE(at);
    if (size > lengthMax) throw bad(`a field of ${size} bytes`);
    const end = at + 4 + size;
    return this.#rest.length < end ? undefined : { bytes: this.#rest.subarray(at + 4, end), end };
  }
}

/** Whether a record is one that this release can take in. */
export function isKnownRecord([key]: StateRecord): boolean {
  const letter = key[0];
  return (
    key[1] === '\x00' && (letter === counterLetter || tableNames.some((name) => definitionOf(name).letter === letter))
  );
}

function length(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function bad(why: string): HeddleError {
  return new HeddleError('STATE_FILE_BAD', `not a state file: ${why}`);
}
