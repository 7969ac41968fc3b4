/**
 * What makes a `service-intentions` entry well formed. `normalize` brings it into the one form that is stored; the checks
 * then name the first thing that is wrong, in the order and words that existing tools match on.
 */
import { utf8Length } from '../std/utf8.ts';
import type { IntentionHttp, IntentionPermission, IntentionSource, ServiceIntentions } from './config-entry.ts';
import { errorList } from './error-list.ts';
import {
  canonicalIntentionSource,
  intentionPrecedence,
  intentionSourceRank,
  isUriSource,
  parseIntentionSource,
  wildcard,
} from './intention-source.ts';
import { metaErrors } from './meta-rules.ts';

export const descriptionBytesMax = 512;
/** Names are part of storage keys, which are bounded. */
export const nameBytesMax = 512;
const sourceUriBytesMax = 1024;
export const sourceTypeConsul = 'consul';

/**
 * `api` is a write through config entries, which knows no legacy fields: ids and times sent in are dropped. `legacy` is a
 * write through the per-pair API, which makes them.
 */
export type IntentionsWriter = 'api' | 'legacy';

export function normalizeServiceIntentions(entry: ServiceIntentions, writer: IntentionsWriter): ServiceIntentions {
  const sources = (entry.Sources ?? []).map((source): IntentionSource => {
    const Name = canonicalIntentionSource(source.Name);
    const dropped = writer === 'api' ? { LegacyID: '', LegacyCreateTime: '', LegacyUpdateTime: '' } : {};
    return {
      ...source,
      ...dropped,
      Name,
      Type: source.Type === '' ? sourceTypeConsul : source.Type,
      Precedence: intentionPrecedence(Name, entry.Name),
      Permissions: emptyAsNull(source.Permissions?.map(normalizePermission) ?? null),
      LegacyMeta: emptyMapAsNull(source.LegacyMeta),
    };
  });
  return { ...entry, Meta: emptyMapAsNull(entry.Meta), Sources: sortSources(sources) };
}

/** Precedence first, then the more exact form; equals stay in the order of writing. */
function sortSources(sources: readonly IntentionSource[]): IntentionSource[] {
  return [...sources].sort(
    (a, b) => b.Precedence - a.Precedence || intentionSourceRank(a.Name) - intentionSourceRank(b.Name),
  );
}

function normalizePermission(permission: IntentionPermission): IntentionPermission {
  const http = permission.HTTP;
  if (http === null) return permission;
  const Methods = emptyAsNull(http.Methods?.map((method) => method.toUpperCase()) ?? null);
  return { ...permission, HTTP: { ...http, Methods, Header: emptyAsNull(http.Header) } };
}

/** Nothing and an empty list print alike; stored alike, two writes of the same entry compare equal. */
function emptyAsNull<T>(list: readonly T[] | null): readonly T[] | null {
  return list === null || list.length === 0 ? null : list;
}
function emptyMapAsNull<T>(map: Readonly<Record<string, T>> | null): Readonly<Record<string, T>> | null {
  return map === null || Object.keys(map).length === 0 ? null : map;
}

/** The first fault of a normalised entry, or null. */
export function serviceIntentionsFault(entry: ServiceIntentions, writer: IntentionsWriter): string | null {
  if (entry.Name === '') return 'Name is required';
  if (isPartialWildcard(entry.Name)) return `Name: ${partialWildcard}`;
  if (utf8Length(entry.Name) > nameBytesMax) return `Name exceeds maximum length ${nameBytesMax}`;
  const meta = metaErrors(entry.Meta);
  if (meta.length > 0) return errorList(meta);
  const sources = entry.Sources ?? [];
  if (sources.length === 0) return 'At least one source is required';
  const seen = new Set<string>();
  for (const [i, source] of sources.entries()) {
    const fault = sourceFault(source, entry.Name === wildcard, writer);
    if (fault !== null) return `Sources[${i}]${fault}`;
  }
  for (const [i, source] of sources.entries()) {
    if (seen.has(source.Name)) return `Sources[${i}] defines ${JSON.stringify(source.Name)} more than once`;
    seen.add(source.Name);
  }
  return null;
}

export const partialWildcard = "wildcard character '*' cannot be used with partial values";

export function isPartialWildcard(name: string): boolean {
  return name !== wildcard && name.includes(wildcard);
}

/** What is wrong with a source's name, or null. */
export function sourceNameFault(name: string): string | null {
  if (isUriSource(name)) {
    const form = parseIntentionSource(name);
    if (!form.ok) return `: ${form.error}`;
    return utf8Length(name) > sourceUriBytesMax ? ` exceeds maximum length ${sourceUriBytesMax}` : null;
  }
  if (isPartialWildcard(name)) return `: ${partialWildcard}`;
  return utf8Length(name) > nameBytesMax ? ` exceeds maximum length ${nameBytesMax}` : null;
}

function sourceFault(source: IntentionSource, toAll: boolean, writer: IntentionsWriter): string | null {
  if (source.Name === '') return '.Name is required';
  const name = sourceNameFault(source.Name);
  if (name !== null) return `.Name${name}`;
  if (utf8Length(source.Description) > descriptionBytesMax) {
    return `.Description exceeds maximum length ${descriptionBytesMax}`;
  }
  if (writer === 'api' && source.LegacyMeta !== null) return '.LegacyMeta must be omitted';
  const permissions = source.Permissions ?? [];
  if (permissions.length === 0 && !isAction(source.Action)) return ".Action must be set to 'allow' or 'deny'";
  if (permissions.length > 0 && source.Action !== '') return '.Action must be omitted if Permissions are specified';
  if (permissions.length > 0 && toAll) {
    return '.Permissions cannot be specified on intentions with wildcarded destinations';
  }
  if (source.Type !== sourceTypeConsul) return `.Type must be set to '${sourceTypeConsul}'`;
  for (const [i, permission] of permissions.entries()) {
    const fault = permissionFault(permission);
    if (fault !== null) return `.Permissions[${i}].${fault}`;
  }
  return null;
}

export function isAction(action: string): boolean {
  return action === 'allow' || action === 'deny';
}

const methods: ReadonlySet<string> = new Set('GET HEAD POST PUT PATCH DELETE CONNECT OPTIONS TRACE'.split(' '));

function permissionFault(permission: IntentionPermission): string | null {
  if (!isAction(permission.Action)) return "Action must be set to 'allow' or 'deny'";
  const http = permission.HTTP;
  if (http === null) return 'HTTP is required';
  for (const path of ['PathExact', 'PathPrefix'] as const) {
    const value = http[path];
    if (value !== '' && !value.startsWith('/')) return `HTTP.${path} doesn't start with '/': ${JSON.stringify(value)}`;
  }
  const paths = [http.PathExact, http.PathPrefix, http.PathRegex].filter((path) => path !== '').length;
  if (paths > 1) return 'HTTP should only contain at most one of PathExact, PathPrefix, or PathRegex';
  const header = headerFault(http);
  if (header !== null) return header;
  const method = methodFault(http);
  if (method !== null) return method;
  const empty = paths === 0 && http.Header === null && http.Methods === null;
  return empty ? 'HTTP should not be empty' : null;
}

function headerFault(http: IntentionHttp): string | null {
  for (const [i, header] of (http.Header ?? []).entries()) {
    if (header.Name === '') return `HTTP.Header[${i}] missing required Name field`;
    const given = [header.Exact, header.Prefix, header.Suffix, header.Regex].filter((value) => value !== '').length;
    if (given + (header.Present ? 1 : 0) !== 1) {
      return `HTTP.Header[${i}] should only contain one of Present, Exact, Prefix, Suffix, or Regex`;
    }
  }
  return null;
}

function methodFault(http: IntentionHttp): string | null {
  const seen = new Set<string>();
  for (const method of http.Methods ?? []) {
    if (!methods.has(method)) return `HTTP.Methods contains an invalid method ${JSON.stringify(method)}`;
    if (seen.has(method)) return `HTTP.Methods contains ${JSON.stringify(method)} more than once`;
    seen.add(method);
  }
  return null;
}
