/**
 * Names of services in parameters of the intention endpoints: `web`, or `default/web` with the one namespace there is. A
 * source may be a URI. Errors are 500s, as existing tools see them.
 */
import { isUriSource } from '../../structs/index.ts';
import { HttpError } from './errors.ts';
import type { Query } from './url.ts';

export interface QualifiedName {
  /** '' when none was given. */
  readonly namespace: string;
  readonly name: string;
}

/** The one value of a parameter that must be there once. */
export function onlyValue(query: Query, parameter: string): string {
  const values = query.all(parameter);
  if (values.length !== 1) throw missing(parameter);
  return values[0]!;
}

export function missing(parameter: string): HttpError {
  return new HttpError(500, `required query parameter '${parameter}' not set`);
}

/** `as` names the parameter in the error. `uris`: the name may be that of a source. */
export function parseName(text: string, as: string, { uris }: { readonly uris: boolean }): QualifiedName {
  if (!text.includes('/') || (uris && isUriSource(text))) return { namespace: '', name: text };
  const parts = text.split('/');
  if (parts.length === 2) return { namespace: parts[0]!, name: parts[1]! };
  throw new HttpError(500, `${as} ${JSON.stringify(text)} is invalid: input can contain at most one '/'`);
}

/** `what` as in `Invalid SourceNS "team": …`. */
export function refuseOtherNamespace({ namespace }: QualifiedName, what: string): void {
  if (namespace === '' || namespace === 'default') return;
  throw new HttpError(500, `Invalid ${what} ${JSON.stringify(namespace)}: Namespaces is a Consul Enterprise feature`);
}
