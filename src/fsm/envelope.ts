/**
 * A command as it lies in the log: msgpack of [format, name, version, origin, args]. The names of the origin's fields
 * are spelled out, as those of the arguments are: a log is read by later releases.
 */
import { type Options, Packr } from 'msgpackr';
import { HeddleError } from '../std/errors.ts';
import type { Origin } from '../structs/index.ts';

const format = 1;
const options = { useRecords: false, int64AsType: 'auto', copyBuffers: true };
const codec = new Packr(options as unknown as Options);

export interface Envelope {
  readonly name: string;
  readonly version: number;
  readonly origin: Origin;
  readonly args: unknown;
}

export function encodeEnvelope({ name, version, origin, args }: Envelope): Uint8Array {
  return codec.pack([format, name, version, origin, args]);
}

/** Throws `COMMAND_UNKNOWN` for what this release cannot read. It must stop: skipping an entry is diverging. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const parts: unknown = codec.unpack(bytes);
  if (!Array.isArray(parts) || parts[0] !== format) {
    throw new HeddleError(
      'COMMAND_UNKNOWN',
      `a log entry has format ${String(parts).slice(0, 20)}; this release reads ${format}`,
    );
  }
  const [, name, version, origin, args] = parts as [number, string, number, Origin, unknown];
  return { name, version, origin, args };
}
