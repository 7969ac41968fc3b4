/** Certificate signing requests (PKCS #10, RFC 2986): built by agents and secondary datacenters, read by the leader. */
import type { KeyObject } from 'node:crypto';
import { ok } from '../../std/result.ts';
import { type CaResult, caErr } from '../errors.ts';
import { parsePublicKey, spkiOf } from '../keys.ts';
import {
  type Asn1,
  bitString,
  children,
  contextConstructed,
  decode,
  encode,
  fromBinary,
  integer,
  isContext,
  items,
  objectId,
  readBitBytes,
  readInteger,
  readOid,
  sequence,
  setOf,
  toBinary,
} from './asn1.ts';
import { readCommonName } from './certificate.ts';
import {
  type AlternativeNames,
  alternativeNamesExtension,
  basicConstraintsExtension,
  type Extensions,
  noExtensions,
  readExtensions,
} from './extensions.ts';
import { commonNameOnly } from './names.ts';
import { oid } from './oids.ts';
import { decodePem, encodePem } from './pem.ts';
import { algorithmFor, isSignedBy, signBytes } from './signature.ts';

export interface CsrTemplate extends AlternativeNames {
  readonly commonName: string;
  /** Asks for a CA certificate, as a secondary datacenter does. */
  readonly isCa?: boolean;
}

export interface Csr {
  readonly subject: Asn1;
  readonly commonName: string;
  readonly spki: Uint8Array;
  readonly spkiNode: Asn1;
  readonly extensions: Extensions;
}

export function buildCsr(template: CsrTemplate, key: KeyObject): string {
  const names = alternativeNamesExtension(template);
  const wanted = [
    ...(template.isCa ? [basicConstraintsExtension(true, null)] : []),
    ...(names === null ? [] : [names]),
  ];
  const attributes = wanted.length === 0 ? [] : [sequence(objectId(oid.extensionRequest), setOf(sequence(...wanted)))];
  const spki = decode(spkiOf(key));
  if (!spki.ok) throw spki.error;
  const info = sequence(
    integer(0n),
    commonNameOnly(template.commonName),
    spki.value,
    contextConstructed(0, ...attributes),
  );
  const signature = signBytes(fromBinary(encode(info)), key);
  const der = encode(sequence(info, algorithmFor(key), bitString(toBinary(signature))));
  return encodePem('CERTIFICATE REQUEST', fromBinary(der));
}

/** Reads a request and checks that whoever made it holds the private key it names. */
export function parseCsr(pem: string): CaResult<Csr> {
  const blocks = decodePem(pem);
  if (!blocks.ok) return blocks;
  const [block, ...more] = blocks.value;
  if (block?.label !== 'CERTIFICATE REQUEST') {
    return caErr('pem', 'first PEM-block should be CERTIFICATE REQUEST type');
  }
  if (more.length > 0) return caErr('pem', 'expected one CERTIFICATE REQUEST, found more PEM blocks');
  const node = decode(block.bytes);
  if (!node.ok) return node;
  const outer = items(node.value);
  const csr = outer === null ? null : read(outer);
  if (outer === null || csr === null) return caErr('asn1', 'structure is not a certificate request');
  const key = parsePublicKey(csr.spki);
  if (!key.ok) return key;
  const algorithm = readOid(items(outer[1])?.[0]);
  const signature = readBitBytes(outer[2]);
  const info = fromBinary(encode(outer[0]!));
  if (algorithm === null || signature === null || !isSignedBy(info, algorithm, fromBinary(signature), key.value)) {
    return caErr('csr-refused', 'CSR signature does not verify with the public key in the CSR');
  }
  return ok(csr);
}

/** CertificationRequestInfo ::= SEQUENCE { version 0, subject, subjectPKInfo, [0] attributes }. */
function read(outer: Asn1[]): Csr | null {
  const info = items(outer[0]);
  if (outer.length !== 3 || info === null || info.length < 3 || info.length > 4) return null;
  const [version, subject, spki, attributes] = info;
  if (readInteger(version) !== 0n || items(subject) === null || items(spki) === null) return null;
  let extensions: Extensions | null = noExtensions;
  if (attributes !== undefined) {
    if (!isContext(attributes, 0)) return null;
    const requests = (children(attributes) ?? [])
      .map(items)
      .filter((entry) => readOid(entry?.[0]) === oid.extensionRequest);
    if (requests.length > 1) return null;
    const values = requests[0]?.[1] === undefined ? null : children(requests[0][1]);
    if (requests.length === 1) extensions = values?.length === 1 ? readExtensions(values[0]!) : null;
  }
  if (extensions === null) return null;
  return {
    subject: subject!,
    commonName: readCommonName(subject!),
    spki: fromBinary(encode(spki!)),
    spkiNode: spki!,
    extensions,
  };
}
