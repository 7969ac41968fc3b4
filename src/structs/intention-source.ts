/**
 * The source of an intention: whom it speaks about. Four forms, from the most to the least exact:
 *
 *     spiffe://<trust domain>/ns/<ns>/dc/<dc>/svc/<service>   uri           one service of one datacenter of one mesh
 *     web                                                     service       that service of this mesh, in any datacenter
 *     spiffe://<trust domain>/*                               trust-domain  every service of one mesh
 *     *                                                       any           everyone
 *
 * The first and third are Heddle's own. A URI is stored in one canonical spelling (scheme and trust domain in lower case,
 * percent-encoding normalised, a bare `spiffe://td` or `spiffe://td/` completed to `spiffe://td/*`), so that one source has
 * one name. Service names compare byte for byte, as SPIFFE paths do (SPIFFE-ID §2.2) and as ACL rules do.
 *
 * Precedence keeps the numbers existing tools know (9, 8, 6, 5). A URI shares the number of the form it refines, `uri`
 * that of `service` and `trust-domain` that of `any`, and goes before it among equals.
 */
import { err, ok, type Result } from '../std/result.ts';

export const wildcard = '*';
const scheme = 'spiffe://';
/** SPIFFE-ID §2.3: an implementation must support 2048 bytes and need not support more. */
const uriLengthMax = 2048;

export interface ServiceUri {
  /** Lower case. */
  readonly trustDomain: string;
  readonly namespace: string;
  readonly datacenter: string;
  readonly service: string;
}

export type IntentionSourceForm =
  | { readonly kind: 'uri'; readonly uri: ServiceUri }
  | { readonly kind: 'service'; readonly service: string }
  | { readonly kind: 'trust-domain'; readonly trustDomain: string }
  | { readonly kind: 'any' };

export function isUriSource(name: string): boolean {
  return name.length >= scheme.length && name.slice(0, scheme.length).toLowerCase() === scheme;
}

/** Reads a source's name. Anything that is not a URI is a service name or the wildcard; the error is for people. */
export function parseIntentionSource(name: string): Result<IntentionSourceForm, string> {
  if (name === wildcard) return ok({ kind: 'any' });
  if (!isUriSource(name)) return ok({ kind: 'service', service: name });
  const rest = name.slice(scheme.length);
  const slash = rest.indexOf('/');
  const trustDomain = (slash === -1 ? rest : rest.slice(0, slash)).toLowerCase();
  const path = slash === -1 ? '' : rest.slice(slash);
  if (name.length > uriLengthMax || !/^[a-z0-9._-]+$/.test(trustDomain)) return notAUri(name);
  if (path === '' || path === '/' || path === '/*') return ok({ kind: 'trust-domain', trustDomain });
  const parts = /^\/ns\/([^/?#]+)\/dc\/([^/?#]+)\/svc\/([^/?#]+)$/.exec(path);
  if (parts === null) return notAUri(name);
  const [namespace, datacenter, service] = [decode(parts[1]!), decode(parts[2]!), decode(parts[3]!)];
  if (namespace === null || datacenter === null || service === null) return notAUri(name);
  if ([namespace, datacenter, service].some((part) => part.includes(wildcard))) {
    return err(`${JSON.stringify(shown(name))}: wildcard character '*' stands for a whole trust domain only`);
  }
  return ok({ kind: 'uri', uri: { trustDomain, namespace, datacenter, service } });
}

/** The one spelling under which a source is stored and found. A malformed URI is left as it is: validation names it. */
export function canonicalIntentionSource(name: string): string {
  if (!isUriSource(name)) return name;
  const form = parseIntentionSource(name);
  return form.ok ? formatIntentionSource(form.value) : name;
}

export function formatIntentionSource(form: IntentionSourceForm): string {
  switch (form.kind) {
    case 'any':
      return wildcard;
    case 'service':
      return form.service;
    case 'trust-domain':
      return `${scheme}${form.trustDomain}/*`;
    case 'uri': {
      const { trustDomain, namespace, datacenter, service } = form.uri;
      return `${scheme}${trustDomain}/ns/${encode(namespace)}/dc/${encode(datacenter)}/svc/${encode(service)}`;
    }
  }
}

/** 0 for a service's URI, 1 for a service's name, 2 for a trust domain, 3 for everyone: the order of decision. */
export function intentionSourceRank(name: string): 0 | 1 | 2 | 3 {
  if (name === wildcard) return 3;
  if (!isUriSource(name)) return 1;
  return name.indexOf('/ns/', scheme.length) === -1 ? 2 : 0;
}

/** 9 exact to exact, 8 wildcard to exact, 6 exact to wildcard, 5 wildcard to wildcard. */
export function intentionPrecedence(source: string, destination: string): number {
  return (destination === wildcard ? 6 : 9) - (intentionSourceRank(source) < 2 ? 0 : 1);
}

/** The order in which intentions decide and are listed: precedence, then rank, then names bytewise. */
export function compareIntentionOrder(
  a: { readonly SourceName: string; readonly DestinationName: string; readonly Precedence: number },
  b: { readonly SourceName: string; readonly DestinationName: string; readonly Precedence: number },
): number {
  return (
    b.Precedence - a.Precedence ||
    intentionSourceRank(a.SourceName) - intentionSourceRank(b.SourceName) ||
    compareText(a.SourceName, b.SourceName) ||
    compareText(a.DestinationName, b.DestinationName)
  );
}

/** Orders as UTF-8 bytes do, which is by code point; JavaScript's own `<` orders by UTF-16 unit. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return orderOfUnit(x) - orderOfUnit(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above U+FFFF, so they sort after every other unit. */
function orderOfUnit(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit;
}

/** Config entries, and so destinations, are kept without letter case: `Db` and `db` are one. */
export function foldDestination(name: string): string {
  return name.toLowerCase();
}

function notAUri(name: string): Result<never, string> {
  return err(
    `${JSON.stringify(shown(name))} is neither a service's URI (spiffe://<trust domain>/ns/<namespace>/dc/<datacenter>/svc/<service>) nor a trust domain (spiffe://<trust domain>/*)`,
  );
}

function decode(raw: string): string | null {
  try {
    const text = decodeURIComponent(raw);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit < 0x20 || unit === 0x7f) return null;
    }
    return loneSurrogate.test(text) ? null : text;
  } catch {
    return null; // a broken percent-escape: the text is malformed, which is an answer
  }
}

/** JSON may carry half a character; a URI cannot. */
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Leaves what may stand in a path segment (RFC 3986 §3.3) and escapes the rest, `*` included. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replace(/%(24|26|2B|3A|3D|40)/g, (code) => decodeURIComponent(code))
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function shown(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
