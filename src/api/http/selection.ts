/** Conditions of catalog and health reads that stand in the query string. */

import type { Schema } from '../../structs/index.ts';
import { compileFilter, filterErrorPrefix, type Predicate } from '../filter/index.ts';
import { HttpError } from './errors.ts';
import { parseBool } from './read-parameters.ts';
import type { ApiRequest } from './request.ts';

/** `node-meta=key:value`, all of them; without a colon the value is ''. */
export function nodeMetaOf({ query }: ApiRequest): Record<string, string> {
  const meta: Record<string, string> = {};
  for (const pair of query.all('node-meta')) {
    const colon = pair.indexOf(':');
    const key = colon < 0 ? pair : pair.slice(0, colon);
    Object.defineProperty(meta, key, {
      value: colon < 0 ? '' : pair.slice(colon + 1),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return meta;
}

/** `?passing`: present without a value, or a true boolean. */
export function passingOf({ query }: ApiRequest): boolean | 'invalid' {
  if (!query.has('passing')) return false;
  const value = query.get('passing');
  return value === '' ? true : (parseBool(value) ?? 'invalid');
}

/** The rows that `?filter=` keeps; undefined when there is no filter. */
export function filterOf<T>({ query }: ApiRequest, schema: Schema<T>): Predicate<T> | undefined {
  const text = query.get('filter');
  if (text === '') return undefined;
  const compiled = compileFilter(schema, text);
  if (!compiled.ok) throw new HttpError(500, filterErrorPrefix + compiled.error.text);
  return compiled.value;
}
