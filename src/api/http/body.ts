/** Request bodies in JSON: read, parsed in Go's words, decoded by a schema. */
import { decode, type Schema } from '../../structs/index.ts';
import { HttpError } from './errors.ts';
import { type JsonValue, parseJson } from './go-json.ts';
import type { ApiRequest } from './request.ts';

export interface BodyOptions {
  /** Before the error's text. */
  readonly prefix?: string;
  readonly unknown?: 'refuse' | 'ignore';
}

/** 400 with `Request decode failed: …` (or the prefix given) for what is no JSON or not of the schema. */
export async function decodeBody<T>(request: ApiRequest, schema: Schema<T>, options: BodyOptions = {}): Promise<T> {
  const prefix = options.prefix ?? 'Request decode failed: ';
  return decodeValue(await jsonBody(request, prefix), schema, { ...options, prefix });
}

export async function jsonBody(request: ApiRequest, prefix: string): Promise<JsonValue> {
  const parsed = parseJson((await request.body()).toString('utf8'));
  if (!parsed.ok) throw new HttpError(400, prefix + parsed.error);
  return parsed.value;
}

export function decodeValue<T>(value: JsonValue, schema: Schema<T>, options: BodyOptions): T {
  const decoded = decode(schema, value, { naming: 'api', unknown: options.unknown ?? 'refuse' });
  if (!decoded.ok) throw new HttpError(400, (options.prefix ?? '') + decoded.error);
  return decoded.value;
}
