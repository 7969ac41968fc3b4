/**
 * The four kinds of certificate of the mesh, and the one function that makes them.
 *
 *     profile       basicConstraints     keyUsage                            extKeyUsage
 *     root          CA                   sign, certSign, cRLSign             -
 *     cross-signed  CA                   same                                -
 *     intermediate  CA, pathlen 0        same                                -
 *     leaf          not a CA             sign, keyEnc, dataEnc, keyAgree     clientAuth, serverAuth
 *
 * Everything but the root begins a minute before it is signed, for clocks that lag.
 */
import type { KeyObject } from 'node:crypto';
import { assert } from '../../std/assert.ts';
import { keyIdOf, spkiOf } from '../keys.ts';
import {
  type Asn1,
  bitString,
  contextConstructed,
  decode,
  encode,
  encodedSequence,
  fromBinary,
  integer,
  sequence,
  time,
  toBinary,
} from './asn1.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import type { Csr } from './csr.ts';
import {
  type AlternativeNames,
  alternativeNamesExtension,
  authorityKeyIdExtension,
  basicConstraintsExtension,
  extKeyUsageExtension,
  keyUsageExtension,
  subjectKeyIdExtension,
  keyUsage as usage,
} from './extensions.ts';
import { commonNameOnly } from './names.ts';
import { oid } from './oids.ts';
import { algorithmFor, signBytes } from './signature.ts';

/** Whoever signs: a certificate and the private key it certifies. */
export interface Issuer {
  readonly certificate: Certificate;
  readonly key: KeyObject;
}

const clockSkewMs = 60_000;
const crossSignedTtlMs = 7 * 24 * 3_600_000;
const rootYears = 10;

const authorityUsage = keyUsageExtension([usage.digitalSignature, usage.keyCertSign, usage.cRLSign]);
const profiles: Readonly<Record<'authority' | 'intermediate' | 'leaf', readonly Asn1[]>> = {
  authority: [authorityUsage, basicConstraintsExtension(true, null)],
  intermediate: [authorityUsage, basicConstraintsExtension(true, 0)],
  leaf: [
    keyUsageExtension([usage.digitalSignature, usage.keyEncipherment, usage.dataEncipherment, usage.keyAgreement]),
    extKeyUsageExtension([oid.clientAuth, oid.serverAuth]),
    basicConstraintsExtension(false, null),
  ],
};

interface ToBeSigned {
  readonly profile: keyof typeof profiles;
  readonly serial: bigint;
  readonly issuer: Asn1;
  readonly subject: Asn1;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly spki: Asn1;
  readonly subjectKeyId: Uint8Array;
  readonly authorityKeyId: Uint8Array;
  readonly names: AlternativeNames;
}

export interface RootRequest {
  readonly serial: bigint;
  readonly commonName: string;
  /** The SPIFFE URI of the trust domain. */
  readonly uri: string;
  readonly nowMs: number;
  /** Default: ten calendar years. */
  readonly ttlMs?: number;
}

/** A self-signed root, in DER. */
export function issueRoot(request: RootRequest, key: KeyObject): Uint8Array {
  const spki = spkiOf(key);
  const keyId = keyIdOf(spki);
  const name = commonNameOnly(request.commonName);
  return signCertificate(
    {
      profile: 'authority',
      serial: request.serial,
      issuer: name,
      subject: name,
      notBeforeMs: request.nowMs,
      notAfterMs: request.ttlMs === undefined ? yearsLater(request.nowMs, rootYears) : request.nowMs + request.ttlMs,
      spki: mustDecode(spki),
      subjectKeyId: keyId,
      authorityKeyId: keyId,
      names: { uris: [request.uri], dnsNames: [], ipAddresses: [] },
    },
    key,
  );
}

/**
 * The new root, signed by the old one: whoever still trusts only the old root follows this bridge to leaves of the new.
 * Name, key, key id and URI are the new root's; seven days, which is longer than agents take to fetch new roots.
 */
export function crossSign(newRoot: Certificate, old: Issuer, serial: bigint, nowMs: number): Uint8Array {
  const { subjectKeyId } = newRoot.extensions;
  return signCertificate(
    {
      profile: 'authority',
      serial,
      issuer: old.certificate.subject,
      subject: newRoot.subject,
      notBeforeMs: nowMs - clockSkewMs,
      notAfterMs: Math.min(nowMs - clockSkewMs + crossSignedTtlMs, old.certificate.notAfterMs),
      spki: mustDecode(newRoot.spki),
      subjectKeyId: subjectKeyId ?? keyIdOf(newRoot.spki),
      authorityKeyId: keyIdOfIssuer(old.certificate),
      names: newRoot.extensions,
    },
    old.key,
  );
}

/** The CA certificate of a secondary datacenter; it may sign leaves but no further CA. */
export function issueIntermediate(csr: Csr, issuer: Issuer, serial: bigint, nowMs: number, ttlMs: number): Uint8Array {
  return signCertificate(
    {
      profile: 'intermediate',
      serial,
      issuer: issuer.certificate.subject,
      subject: csr.subject,
      notBeforeMs: nowMs - clockSkewMs,
      notAfterMs: Math.min(nowMs - clockSkewMs + ttlMs, issuer.certificate.notAfterMs),
      spki: csr.spkiNode,
      subjectKeyId: keyIdOf(csr.spki),
      authorityKeyId: keyIdOfIssuer(issuer.certificate),
      names: csr.extensions,
    },
    issuer.key,
  );
}

export interface LeafRequest {
  readonly serial: bigint;
  /** Computed from the identity; what the CSR asks for does not matter. */
  readonly commonName: string;
  readonly names: AlternativeNames;
  readonly nowMs: number;
  readonly ttlMs: number;
}

export interface IssuedLeaf {
  readonly der: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export function issueLeaf(request: LeafRequest, csr: Csr, issuer: Issuer): IssuedLeaf {
  const notBeforeMs = request.nowMs - clockSkewMs;
  // A leaf that outlives its issuer would be refused before its own time is over.
  const notAfterMs = Math.min(notBeforeMs + request.ttlMs, issuer.certificate.notAfterMs);
  const der = signCertificate(
    {
      profile: 'leaf',
      serial: request.serial,
      issuer: issuer.certificate.subject,
      subject: commonNameOnly(request.commonName),
      notBeforeMs,
      notAfterMs,
      spki: csr.spkiNode,
      subjectKeyId: keyIdOf(csr.spki),
      authorityKeyId: keyIdOfIssuer(issuer.certificate),
      names: request.names,
    },
    issuer.key,
  );
  return { der, notBeforeMs, notAfterMs };
}

/** The subject key id of the certificate that signs, by which its leaves are told apart after a rotation. */
export function keyIdOfIssuer(certificate: Certificate): Uint8Array {
  return certificate.extensions.subjectKeyId ?? keyIdOf(certificate.spki);
}

function signCertificate(request: ToBeSigned, key: KeyObject): Uint8Array {
  assert(request.serial > 0n, 'a serial number is positive (RFC 5280 §4.1.2.2)');
  assert(request.notBeforeMs < request.notAfterMs, 'a certificate has a lifetime');
  const algorithm = algorithmFor(key);
  const names = alternativeNamesExtension(request.names);
  const tbs = sequence(
    contextConstructed(0, integer(2n)),
    integer(request.serial),
    algorithm,
    request.issuer,
    sequence(time(request.notBeforeMs), time(request.notAfterMs)),
    request.subject,
    request.spki,
    contextConstructed(
      3,
      sequence(
        ...profiles[request.profile],
        subjectKeyIdExtension(request.subjectKeyId),
        authorityKeyIdExtension(request.authorityKeyId),
        ...(names === null ? [] : [names]),
      ),
    ),
  );
  const signed = encode(tbs);
  const signature = signBytes(fromBinary(signed), key);
  return fromBinary(encodedSequence(signed, encode(algorithm), encode(bitString(toBinary(signature)))));
}

/** Calendar years, as an operator counts them: 23 November stays 23 November. */
function yearsLater(ms: number, years: number): number {
  const date = new Date(ms);
  date.setUTCFullYear(date.getUTCFullYear() + years);
  return date.getTime();
}

/** For structures that were read or made by us before. */
function mustDecode(der: Uint8Array): Asn1 {
  const node = decode(der);
  assert(node.ok, 'a public key that was read before reads again');
  return node.value;
}

/** Reads back what was just issued. */
export function issued(der: Uint8Array): Certificate {
  const certificate = parseCertificate(der);
  assert(certificate.ok, 'an issued certificate reads back');
  return certificate.value;
}
