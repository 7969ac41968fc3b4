/**
 * Certificates of the reference system, captured as PEM with OpenSSL's reading of them: ours must have the same structure:
 * extensions, their order, criticality and content, names, validity, signature algorithm. And ours must read theirs.
 */
import { readFileSync } from 'node:fs';
import type forge from 'node-forge';
import { describe, expect, it } from 'vitest';
import { keyIdOf, spkiOf } from '../../../src/ca/keys.ts';
import { decode, encode, items, rawOf, readBoolean, readOid, Type } from '../../../src/ca/x509/asn1.ts';
import { type Certificate, isIssuedBy, parseCertificates } from '../../../src/ca/x509/certificate.ts';
import { buildCsr, parseCsr } from '../../../src/ca/x509/csr.ts';
import { crossSign, issued, issueIntermediate } from '../../../src/ca/x509/issue.ts';
import { verifyChain } from '../../../src/ca/x509/verify-chain.ts';
import { reference } from '../../support/shared.ts';
import { authority, hourMs, leaf, must, nextSerial, now, trustDomain } from '../support.ts';

const folder = reference('golden/mesh/openssl');
const golden = (file: string): Certificate[] => must(parseCertificates(readFileSync(`${folder}/${file}`, 'utf8')));

/** The part of a certificate that does not depend on keys, names and dates. */
function shape(certificate: Certificate): unknown {
  const tbs = items(items(must(decode(certificate.der)))![0])!;
  const extensions = items((tbs[7]!.value as forge.asn1.Asn1[])[0])!.map((extension) => {
    const parts = items(extension)!;
    const id = readOid(parts[0])!;
    const isFixed = ['2.5.29.15', '2.5.29.19', '2.5.29.37'].includes(id);
    const content = Buffer.from(rawOf(parts.at(-1), Type.OCTETSTRING)!, 'latin1');
    const length = id === '2.5.29.17' ? 'any' : content.length;
    return {
      id,
      critical: parts.length === 3 && readBoolean(parts[1]),
      content: isFixed ? content.toString('hex') : length,
    };
  });
  const name = (node: forge.asn1.Asn1) =>
    items(node)!.map((rdn) => items((rdn.value as forge.asn1.Asn1[])[0])![1]!.type as number);
  return {
    fields: tbs.length,
    version: encode(tbs[0]!),
    algorithm: encode(tbs[2]!),
    issuerString: name(tbs[3]!),
    subjectString: name(tbs[5]!),
    timeTypes: items(tbs[4])!.map((time) => time.type),
    extensions,
  };
}

describe.skipIf(folder === null)('beside the certificates of the reference system', () => {
  it('roots have the same structure', async () => {
    expect(shape((await authority()).certificate)).toEqual(shape(golden('dc1-root.txt')[0]!));
    expect(shape((await authority({ type: 'rsa', bits: 2048 })).certificate)).toEqual(
      shape(golden('rsa-root.txt')[0]!),
    );
  });

  it('leaves have the same structure, under an EC and under an RSA authority', async () => {
    const ec = await leaf(await authority(), 'leafy');
    expect(shape(ec.certificate)).toEqual(shape(golden('dc1-leaf.txt')[0]!));
    const rsa = await leaf(await authority({ type: 'rsa', bits: 2048 }), 'leafy');
    expect(shape(rsa.certificate)).toEqual(shape(golden('rsa-leaf.txt')[0]!));
  });

  it('cross-signed roots have the same structure and the same seven days', async () => {
    const fresh = await authority();
    const crossed = issued(crossSign(fresh.certificate, await authority(), nextSerial(), now));
    const theirs = golden('rotated-dc1-cross-signed.txt')[0]!;
    expect(shape(crossed)).toEqual(shape(theirs));
    expect(crossed.notAfterMs - crossed.notBeforeMs).toBe(theirs.notAfterMs - theirs.notBeforeMs);
    expect(crossed.extensions.subjectKeyId).toEqual(fresh.certificate.extensions.subjectKeyId);
  });

  it('intermediates of a secondary datacenter have the same structure', async () => {
    const { key } = await authority();
    const names = { uris: [`spiffe://${trustDomain}`], dnsNames: [], ipAddresses: [] };
    const csr = must(parseCsr(buildCsr({ commonName: 'sec-1.consul.ca', isCa: true, ...names }, key)));
    const ours = issued(issueIntermediate(csr, await authority(), nextSerial(), now, 8760 * hourMs));
    expect(shape(ours)).toEqual(shape(golden('dc2-intermediate.txt')[0]!));
  });

  it('theirs are read in full: names, serial, key ids, alternative names', () => {
    const [certificate] = golden('dc1-leaf.txt');
    expect(certificate).toMatchObject({
      serial: 0x15n,
      commonName: 'leafy.svc.default.017f3d96.consul',
      issuerCommonName: 'pri-tda8nsd9.consul.ca.017f3d96.consul',
      notBeforeMs: Date.parse('2026-11-23T07:17:59Z'),
      notAfterMs: Date.parse('2026-11-26T07:17:59Z'),
      extensions: {
        isCa: false,
        keyUsage: [0, 2, 3, 4],
        uris: [`spiffe://${trustDomain}/ns/default/dc/dc1/svc/leafy`],
        authorityKeyId: golden('dc1-root.txt')[0]!.extensions.subjectKeyId,
      },
    });
    expect(certificate!.extensions.subjectKeyId).toEqual(keyIdOf(certificate!.spki));
  });

  it('their chains verify, across their rotation and from their secondary datacenter', () => {
    const [oldRoot, newRoot] = [golden('dc1-root.txt')[0]!, golden('rotated-dc1-new-root.txt')[0]!];
    const [rotated, ...sent] = golden('rotated-dc1-leaf.txt');
    const purpose = 'server' as const;
    for (const roots of [[oldRoot], [newRoot]]) {
      must(verifyChain({ certificate: rotated!, intermediates: sent, roots, nowMs: now, purpose }));
    }
    const [secondary, ...chain] = golden('dc2-leaf.txt');
    must(
      verifyChain({
        certificate: secondary!,
        intermediates: chain,
        roots: golden('dc2-root.txt'),
        nowMs: now,
        purpose,
      }),
    );
    expect(isIssuedBy(golden('rsa-leaf.txt')[0]!, golden('rsa-root.txt')[0]!)).toBe(true);
  });

  it('our key ids are the SHA-256 that theirs are', async () => {
    const { key, certificate } = await authority();
    expect(certificate.extensions.subjectKeyId).toEqual(keyIdOf(spkiOf(key)));
  });
});
