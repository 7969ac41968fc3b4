/**
 * Rows as bytes: one byte of row version, then msgpack. Property names are stored with every row: a row can be read by
 * any later release, and the same row is the same bytes on every server.
 */
import { type Options, Packr } from 'msgpackr';
import { HeddleError } from '../../std/errors.ts';

const rowVersion = 1;

// 'auto' (a number where it is exact, else a bigint) is documented by the library and missing from its types.
const options = { useRecords: false, int64AsType: 'auto', copyBuffers: true };
const codec = new Packr(options as unknown as Options);

export function encodeRow(row: object): Uint8Array {
  const body = codec.pack(row);
  const bytes = Buffer.allocUnsafe(body.length + 1);
  bytes[0] = rowVersion;
  body.copy(bytes, 1);
  return bytes;
}

/** Throws `ROW_VERSION_UNKNOWN` on a row of a later release: going on would mean guessing. */
export function decodeRow<Row>(bytes: Uint8Array): Row {
  if (bytes[0] !== rowVersion) {
    throw new HeddleError(
      'ROW_VERSION_UNKNOWN',
      `a stored row has version ${bytes[0]}; this release reads ${rowVersion}`,
    );
  }
  return codec.unpack(bytes.subarray(1)) as Row;
}
