/**
 * Whether a certificate is to be trusted: is there a path of valid signatures from it, through the intermediates its
 * owner sent, to a root of the trust bundle, every step of it valid now and allowed to sign (RFC 5280 §6, the part a
 * mesh uses)? And does it speak for a SPIFFE ID of our trust domain?
 *
 *     leaf  ->  cross-signed new root  ->  old root            (seen by somebody who has not heard of the new root yet)
 *     leaf  ->  new root                                       (seen by everybody else)
 *
 * The search is bounded: a hostile peer may send many certificates, not buy much work with them.
 */
import { ok } from '../../std/result.ts';
import { type CaError, type CaResult, caErr } from '../errors.ts';
import { parseSpiffe, type SpiffeId } from '../identity/spiffe.ts';
import { sameTrustDomain, type TrustDomain } from '../identity/trust-domain.ts';
import { type Certificate, isIssuedBy, publicKeyOf } from './certificate.ts';
import { keyUsage } from './extensions.ts';
import { oid } from './oids.ts';

export type Purpose = 'client' | 'server';

export interface ChainRequest {
  readonly certificate: Certificate;
  /** What the peer sent beside it; trusted for nothing. */
  readonly intermediates: readonly Certificate[];
  readonly roots: readonly Certificate[];
  readonly nowMs: number;
  /** What the certificate is used for: a `client` was dialled from, a `server` was dialled to. */
  readonly purpose?: Purpose;
}

const pathLengthMax = 6;
const signatureChecksMax = 32;

/** The path, from the certificate to the root. The error is that of the most promising path that failed. */
export function verifyChain(request: ChainRequest): CaResult<Certificate[]> {
  const { certificate, nowMs } = request;
  const own = problemOfLeaf(certificate, nowMs, request.purpose);
  if (own !== null) return { ok: false, error: own };
  const search = new PathSearch(request);
  const path = search.extend([certificate]);
  if (path !== null) return ok(path);
  return { ok: false, error: search.problem ?? unknownAuthority(certificate) };
}

/** The one identity of a certificate: SPIFFE X.509-SVID §2 wants exactly one URI. */
export function spiffeIdOf(certificate: Certificate): CaResult<SpiffeId> {
  const { uris } = certificate.extensions;
  if (uris.length !== 1) return caErr('chain-purpose', `certificate names ${uris.length} URIs, wanted one SPIFFE ID`);
  return parseSpiffe(uris[0]!);
}

export interface PeerRequest extends ChainRequest {
  readonly trustDomain: TrustDomain;
}

/** Verifies the chain, then reads who it is; a stranger's trust domain is refused even under a shared root. */
export function verifyPeer(request: PeerRequest): CaResult<SpiffeId> {
  const path = verifyChain(request);
  if (!path.ok) return path;
  const id = spiffeIdOf(request.certificate);
  if (!id.ok) return id;
  if (id.value.kind === 'signing') return caErr('chain-purpose', 'a CA certificate does not identify a peer');
  if (!sameTrustDomain(id.value.trustDomain, request.trustDomain)) {
    return caErr(
      'chain-purpose',
      `certificate is from a different trust domain: ${id.value.trustDomain}, we are ${request.trustDomain}`,
    );
  }
  return id;
}

class PathSearch {
  problem: CaError | null = null;
  readonly #request: ChainRequest;
  #signatureChecks = 0;

  constructor(request: ChainRequest) {
    this.#request = request;
  }

  /** Depth first; roots before intermediates, so the shortest way out wins. */
  extend(path: readonly Certificate[]): Certificate[] | null {
    const last = path.at(-1)!;
    const { roots, intermediates } = this.#request;
    if (roots.some((root) => sameBytes(root, last))) return [...path];
    if (path.length >= pathLengthMax) return null;
    for (const root of roots) if (this.#leadsTo(path, root)) return [...path, root];
    for (const next of intermediates) {
      if (path.some((seen) => sameBytes(seen, next)) || !this.#leadsTo(path, next)) continue;
      const found = this.extend([...path, next]);
      if (found !== null) return found;
    }
    return null;
  }

  #leadsTo(path: readonly Certificate[], issuer: Certificate): boolean {
    const last = path.at(-1)!;
    if (last.issuerDer !== issuer.subjectDer || !keyIdsFit(last, issuer)) return false;
    const problem = problemOfIssuer(issuer, path.length - 1, this.#request.nowMs);
    if (problem !== null) {
      this.problem ??= problem;
      return false;
    }
    this.#signatureChecks++;
    return this.#signatureChecks <= signatureChecksMax && isIssuedBy(last, issuer);
  }
}

function problemOfLeaf(certificate: Certificate, nowMs: number, purpose: Purpose | undefined): CaError | null {
  const { extensions } = certificate;
  const general = problemOfAny(certificate, nowMs);
  if (general !== null) return general;
  if (purpose === undefined) return null;
  if (extensions.isCa)
    return problem('chain-purpose', `${certificate.commonName}: a CA certificate may not be used as a leaf`);
  const wanted = purpose === 'client' ? oid.clientAuth : oid.serverAuth;
  const usages = extensions.extKeyUsage;
  if (usages !== null && !usages.includes(wanted) && !usages.includes(oid.anyExtKeyUsage)) {
    return problem('chain-purpose', `${certificate.commonName}: certificate may not be used by a TLS ${purpose}`);
  }
  if (extensions.keyUsage !== null && !extensions.keyUsage.includes(keyUsage.digitalSignature)) {
    return problem('chain-purpose', `${certificate.commonName}: certificate may not sign a handshake`);
  }
  return null;
}

/** `depth`: how many CA certificates lie between this issuer and the leaf. */
function problemOfIssuer(issuer: Certificate, depth: number, nowMs: number): CaError | null {
  const { isCa, pathLength, keyUsage: usages } = issuer.extensions;
  if (!isCa || (usages !== null && !usages.includes(keyUsage.keyCertSign))) {
    return problem('chain-purpose', `${issuer.commonName}: certificate may not sign certificates`);
  }
  if (pathLength !== null && depth > pathLength) {
    return problem('chain-purpose', `${issuer.commonName}: more CA certificates follow than its path length allows`);
  }
  return problemOfAny(issuer, nowMs);
}

function problemOfAny(certificate: Certificate, nowMs: number): CaError | null {
  const { commonName, extensions } = certificate;
  if (nowMs < certificate.notBeforeMs) {
    return problem('chain-expired', `${commonName}: certificate is not yet valid`, {
      notBeforeMs: certificate.notBeforeMs,
    });
  }
  if (nowMs > certificate.notAfterMs) {
    return problem('chain-expired', `${commonName}: certificate has expired`, { notAfterMs: certificate.notAfterMs });
  }
  if (extensions.unknownCritical.length > 0) {
    return problem(
      'chain-purpose',
      `${commonName}: critical extension ${extensions.unknownCritical[0]} is not understood`,
    );
  }
  const key = publicKeyOf(certificate);
  return key.ok ? null : key.error;
}

function keyIdsFit(certificate: Certificate, issuer: Certificate): boolean {
  const wanted = certificate.extensions.authorityKeyId;
  const offered = issuer.extensions.subjectKeyId;
  return wanted === null || offered === null || Buffer.compare(wanted, offered) === 0;
}

function sameBytes(a: Certificate, b: Certificate): boolean {
  return Buffer.compare(a.der, b.der) === 0;
}

function unknownAuthority(certificate: Certificate): CaError {
  return problem('chain-untrusted', `${certificate.commonName}: certificate signed by unknown authority`, {
    issuer: certificate.issuerCommonName,
  });
}

function problem(...args: Parameters<typeof caErr>): CaError {
  return caErr(...args).error;
}
