/** 413, with the setting that would allow more. */
import { HttpError } from './errors.ts';

export function tooLarge(
  setting: 'kv_max_value_size' | 'txn_max_req_len',
  bytesMax: number,
  declared?: number,
): HttpError {
  const size = declared === undefined ? '' : `(${declared} bytes)`;
  return new HttpError(
    413,
    `Request body${size} too large, max size: ${bytesMax} bytes. See https://www.consul.io/docs/agent/options.html#${setting}.`,
  );
}
