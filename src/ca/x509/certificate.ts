/** A certificate, read into the fields a mesh decides on. Reading never throws and never trusts: see verify-chain.ts. */
import { createHash, type KeyObject } from 'node:crypto';
import { ok } from '../../std/result.ts';
import { type CaResult, caErr } from '../errors.ts';
import { colonHex, parsePublicKey } from '../keys.ts';
import {
  type Asn1,
  children,
  decode,
  encode,
  fromBinary,
  isContext,
  items,
  readBitBytes,
  readInteger,
  readOid,
  readText,
  readTime,
} from './asn1.ts';
import { type Extensions, noExtensions, readExtensions } from './extensions.ts';
import { oid } from './oids.ts';
import { decodePem, encodePem } from './pem.ts';
import { isSignedBy } from './signature.ts';

export interface Certificate {
  readonly der: Uint8Array;
  readonly serial: bigint;
  readonly subject: Asn1;
  readonly issuer: Asn1;
  /** The names' DER, for comparing: issuer and subject match byte for byte. */
  readonly subjectDer: string;
  readonly issuerDer: string;
  readonly commonName: string;
  readonly issuerCommonName: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Uint8Array;
  readonly extensions: Extensions;
  readonly signed: { readonly bytes: Uint8Array; readonly algorithm: string; readonly signature: Uint8Array };
}

/** Reads DER bytes, or a PEM text with exactly one block. */
export function parseCertificate(source: Uint8Array | string): CaResult<Certificate> {
  if (typeof source !== 'string') return parseDer(source);
  const all = parseCertificates(source);
  if (!all.ok) return all;
  if (all.value.length !== 1) return caErr('pem', `expected one certificate, found ${all.value.length}`);
  return ok(all.value[0]!);
}

/** Reads a PEM bundle, in order. */
export function parseCertificates(pem: string): CaResult<Certificate[]> {
  const blocks = decodePem(pem);
  if (!blocks.ok) return blocks;
  const certificates: Certificate[] = [];
  for (const block of blocks.value) {
    if (block.label !== 'CERTIFICATE') return caErr('pem', 'PEM-block should be CERTIFICATE type');
    const certificate = parseDer(block.bytes);
    if (!certificate.ok) return certificate;
    certificates.push(certificate.value);
  }
  return ok(certificates);
}

export function certificatePem(certificate: Certificate): string {
  return encodePem('CERTIFICATE', certificate.der);
}

/** SHA-1 of the DER in colon hex: the ID of a root. It names; it does not protect. */
export function fingerprint(certificate: Certificate): string {
  return colonHex(createHash('sha1').update(certificate.der).digest());
}

/** As printed with leaves: whole bytes in colon hex, `0b`, `01:2c`. */
export function serialColonHex(serial: bigint): string {
  const hex = serial.toString(16);
  return colonHex(Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, 'hex'));
}

const publicKeys = new WeakMap<Certificate, CaResult<KeyObject>>();

/** The certified key; reading one costs more than a signature, so it is kept with the certificate. */
export function publicKeyOf(certificate: Certificate): CaResult<KeyObject> {
  let key = publicKeys.get(certificate);
  if (key === undefined) {
    key = parsePublicKey(certificate.spki);
    publicKeys.set(certificate, key);
  }
  return key;
}

/** Whether `issuer`'s key signed this certificate. Says nothing of dates, purpose or trust. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (certificate.issuerDer !== issuer.subjectDer) return false;
  const key = publicKeyOf(issuer);
  const { bytes, algorithm, signature } = certificate.signed;
  return key.ok && isSignedBy(bytes, algorithm, signature, key.value);
}

function parseDer(der: Uint8Array): CaResult<Certificate> {
  const node = decode(der);
  if (!node.ok) return node;
  const certificate = read(node.value, der);
  return certificate === null ? caErr('asn1', 'structure is not an X.509 v3 certificate') : ok(certificate);
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature } (RFC 5280 §4.1). */
function read(node: Asn1, der: Uint8Array): Certificate | null {
  const outer = items(node);
  const tbs = items(outer?.[0]);
  if (outer === null || tbs === null || outer.length !== 3 || tbs.length < 7) return null;
  const [version, serialNode, innerAlgorithm, issuer, validity, subject, spki, ...rest] = tbs;
  if (!isContext(version, 0) || readInteger(children(version)?.[0]) !== 2n) return null;
  const serial = readInteger(serialNode);
  const algorithm = readOid(items(outer[1])?.[0]);
  const signature = readBitBytes(outer[2]);
  const [notBefore, notAfter] = items(validity) ?? [];
  const notBeforeMs = readTime(notBefore);
  const notAfterMs = readTime(notAfter);
  if (serial === null || algorithm === null || signature === null || notBeforeMs === null || notAfterMs === null) {
    return null;
  }
  // The signed algorithm must be the one outside, or a signature could be re-labelled (RFC 5280 §4.1.1.2).
  if (encode(innerAlgorithm!) !== encode(outer[1]!)) return null;
  if (items(issuer) === null || items(subject) === null || items(spki) === null) return null;
  const wrapped = rest.find((entry) => isContext(entry, 3));
  const extensionList = wrapped === undefined ? undefined : children(wrapped)?.[0];
  if (wrapped !== undefined && extensionList === undefined) return null;
  const extensions = extensionList === undefined ? noExtensions : readExtensions(extensionList);
  if (extensions === null) return null;
  return {
    der,
    serial,
    subject: subject!,
    issuer: issuer!,
    subjectDer: encode(subject!),
    issuerDer: encode(issuer!),
    commonName: readCommonName(subject!),
    issuerCommonName: readCommonName(issuer!),
    notBeforeMs,
    notAfterMs,
    spki: fromBinary(encode(spki!)),
    extensions,
    signed: { bytes: fromBinary(encode(outer[0]!)), algorithm, signature: fromBinary(signature) },
  };
}

/** The first CommonName, or ''. */
export function readCommonName(name: Asn1): string {
  for (const rdn of items(name) ?? []) {
    for (const attribute of children(rdn) ?? []) {
      const [type, value] = items(attribute) ?? [];
      if (readOid(type) === oid.commonName) return readText(value) ?? '';
    }
  }
  return '';
}
