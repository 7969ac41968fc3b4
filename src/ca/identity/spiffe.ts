/**
 * SPIFFE IDs: who a certificate speaks for, as a URI.
 *
 *     service   spiffe://<trust domain>/ns/<namespace>/dc/<datacenter>/svc/<service>
 *     agent     spiffe://<trust domain>/agent/client/dc/<datacenter>/id/<node>
 *     signing   spiffe://<trust domain>                       (the CA itself)
 *
 * Parts are percent-encoded, so a service may be called `a/b` without becoming another service. What SPIFFE forbids is
 * refused rather than skipped over: user, port, query, fragment, an empty trust domain, more than 2048 bytes.
 * A trust domain compares without case; everything else is exact.
 */
import { ok } from '../../std/result.ts';
import { type CaResult, caErr } from '../errors.ts';
import { sameTrustDomain, type TrustDomain } from './trust-domain.ts';

export interface ServiceId {
  readonly kind: 'service';
  readonly trustDomain: TrustDomain;
  readonly namespace: string;
  readonly datacenter: string;
  readonly service: string;
}

export interface AgentId {
  readonly kind: 'agent';
  readonly trustDomain: TrustDomain;
  readonly datacenter: string;
  readonly node: string;
}

export interface SigningId {
  readonly kind: 'signing';
  readonly trustDomain: TrustDomain;
}

export type SpiffeId = ServiceId | AgentId | SigningId;

/** SPIFFE-ID §2.3: an implementation must support 2048 bytes and need not support more. */
const spiffeBytesMax = 2048;
const scheme = /^spiffe:\/\//i;
const host = /^[A-Za-z0-9._-]+$/;
const servicePath = /^\/ns\/([^/]+)\/dc\/([^/]+)\/svc\/([^/]+)$/;
const agentPath = /^\/agent\/client\/dc\/([^/]+)\/id\/([^/]+)$/;

export function serviceId(
  trustDomain: TrustDomain,
  datacenter: string,
  service: string,
  namespace = 'default',
): ServiceId {
  return { kind: 'service', trustDomain, namespace, datacenter, service };
}

export function agentId(trustDomain: TrustDomain, datacenter: string, node: string): AgentId {
  return { kind: 'agent', trustDomain, datacenter, node };
}

export function signingId(trustDomain: TrustDomain): SigningId {
  return { kind: 'signing', trustDomain };
}

export function parseSpiffe(uri: string): CaResult<SpiffeId> {
  if (!scheme.test(uri)) return caErr('spiffe-id', "SPIFFE ID must have 'spiffe' scheme", { uri: shown(uri) });
  const malformed = () => caErr('spiffe-id', `SPIFFE ID is not in the expected format: ${shown(uri)}`);
  if (uri.length > spiffeBytesMax) return malformed();
  const rest = uri.slice('spiffe://'.length);
  const slash = rest.indexOf('/');
  const trustDomain = slash === -1 ? rest : rest.slice(0, slash);
  const path = slash === -1 ? '' : rest.slice(slash);
  if (!host.test(trustDomain) || /[?#]/.test(path)) return malformed();
  if (path === '') return trustDomain.includes('.') ? ok(signingId(trustDomain)) : malformed();

  const service = servicePath.exec(path);
  if (service !== null) {
    const [namespace, datacenter, name] = [part(service[1]), part(service[2]), part(service[3])];
    if (namespace === null || datacenter === null || name === null) return malformed();
    return ok(serviceId(trustDomain, datacenter, name, namespace));
  }
  const agent = agentPath.exec(path);
  if (agent !== null) {
    const [datacenter, node] = [part(agent[1]), part(agent[2])];
    if (datacenter === null || node === null) return malformed();
    return ok(agentId(trustDomain, datacenter, node));
  }
  return malformed();
}

export function formatSpiffe(id: SpiffeId): string {
  switch (id.kind) {
    case 'service':
      return `spiffe://${id.trustDomain}/ns/${encode(id.namespace)}/dc/${encode(id.datacenter)}/svc/${encode(id.service)}`;
    case 'agent':
      return `spiffe://${id.trustDomain}/agent/client/dc/${encode(id.datacenter)}/id/${encode(id.node)}`;
    case 'signing':
      return `spiffe://${id.trustDomain}`;
  }
}

export function sameSpiffe(a: SpiffeId, b: SpiffeId): boolean {
  if (!sameTrustDomain(a.trustDomain, b.trustDomain)) return false;
  return formatSpiffe({ ...a, trustDomain: '' }) === formatSpiffe({ ...b, trustDomain: '' });
}

/** The decoded text, or null where the percent-encoding is broken or hides a control character, or half a character. */
function part(raw: string | undefined): string | null {
  if (raw === undefined) return null;
  try {
    const text = decodeURIComponent(raw);
    return isClean(text) ? text : null;
  } catch {
    return null; // decodeURIComponent throws on broken escapes: the text is malformed, which is an answer
  }
}

function isClean(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit === 0x7f) return false;
  }
  // Half a character: no encoding of a URI can carry it.
  return !/\p{Surrogate}/u.test(text);
}

/** Leaves what may stand in a path segment (RFC 3986 §3.3), as existing certificates do, and escapes the rest. */
function encode(text: string): string {
  const wellFormed = text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
  return encodeURIComponent(wellFormed)
    .replace(/%(24|26|2B|3A|3D|40)/g, (escaped) => decodeURIComponent(escaped))
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Enough of a foreign text to recognise it in an error. */
function shown(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
