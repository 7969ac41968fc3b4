/**
 * Request targets, read the way Consul's clients have come to rely on: `%2F` is a slash, `+` is a plus in a path and a
 * blank in a query, doubled slashes and dots are cleaned away by a redirect before anything is routed.
 *
 * Differs from `decodeURIComponent` in two ways: a query may hold bytes that are not UTF-8 (they become U+FFFD), and a
 * path may not: keys are text here, and two different byte strings must never meet in one key.
 */

/** A target that cannot be read at all; the connection is answered `400 Bad Request` and closed. */
export const malformed = Symbol('malformed target');

/** Percent-decodes a path once. */
function decodePath(raw: string): string | typeof malformed {
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return malformed;
  }
}

/** Splits a target into decoded path and raw query. An absolute target (`http://host/path`) loses its host. */
export function splitTarget(target: string): { path: string; query: string } | typeof malformed {
  let rest = hasHighBytes(target) ? Buffer.from(target, 'latin1').toString('utf8') : target;
  if (!rest.startsWith('/')) {
    const absolute = /^https?:\/\/[^/?]*/i.exec(rest);
    if (absolute === null) return malformed;
    rest = rest.slice(absolute[0].length);
    if (!rest.startsWith('/')) rest = `/${rest}`;
  }
  const mark = rest.indexOf('?');
  const path = decodePath(mark < 0 ? rest : rest.slice(0, mark));
  if (path === malformed) return malformed;
  return { path, query: mark < 0 ? '' : rest.slice(mark + 1) };
}

function hasHighBytes(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7e) return true;
  return false;
}

/** True when every character is printable: letters, marks, numbers, punctuation, symbols and the ASCII blank. */
export function isPrintable(path: string): boolean {
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return !/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(path);
  }
  return true;
}

/** Removes empty, `.` and `..` segments; a final slash stays. The same string comes back when there is nothing to do. */
export function cleanPath(path: string): string {
  if (!/\/\/|\/\.{1,2}(\/|$)/.test(path)) return path;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') kept.pop();
    else kept.push(segment);
  }
  const cleaned = `/${kept.join('/')}`;
  return path.endsWith('/') && cleaned !== '/' ? `${cleaned}/` : cleaned;
}

/** A decoded path as it stands in a `Location` header. */
export function escapePath(path: string): string {
  return encodeURI(path).replace(/[?#]/g, encodeURIComponent).replaceAll('%5B', '[').replaceAll('%5D', ']');
}

/** The parameters of a query string, in order of appearance. A name may appear often; most readers take the first. */
export class Query {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }
  /** The first value, or '' when the parameter is absent. */
  get(name: string): string {
    return this.#values.get(name)?.[0] ?? '';
  }
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }
  /** Present at all: for many parameters (`?stale`, `?recurse`) only this counts, even with the value `false`. */
  has(name: string): boolean {
    return this.#values.has(name);
  }
  /** Encoded again, sorted by name, as error texts show it. */
  encode(): string {
    return [...this.#values]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, values]) => values.map((value) => `${escapeQuery(name)}=${escapeQuery(value)}`))
      .join('&');
  }
}

const emptyQuery = new Query(new Map());

/** Reads a query string; undefined when an escape is broken (or a bare `;` is used, which proxies read differently). */
export function parseQuery(raw: string): Query | undefined {
  if (raw === '') return emptyQuery;
  if (raw.includes(';')) return undefined;
  const values = new Map<string, string[]>();
  for (const pair of raw.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = unescapeQuery(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : unescapeQuery(pair.slice(equals + 1));
    if (name === undefined || value === undefined) return undefined;
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return new Query(values);
}

function unescapeQuery(text: string): string | undefined {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  if (/%(?![0-9a-fA-F]{2})/.test(spaced)) return undefined;
  try {
    return decodeURIComponent(spaced);
  } catch {
    const bytes = Buffer.from(spaced, 'utf8').toString('latin1');
    const decoded = bytes.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    return Buffer.from(decoded, 'latin1').toString('utf8');
  }
}

function escapeQuery(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}
