/** What we make, as the openssl program sees it: it parses, verifies chains, and its own CSRs and certificates are read. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateKey, type KeySpec, privateKeyPem } from '../../../src/ca/keys.ts';
import { certificatePem, parseCertificate, parseCertificates } from '../../../src/ca/x509/certificate.ts';
import { buildCsr, parseCsr } from '../../../src/ca/x509/csr.ts';
import { crossSign, issued } from '../../../src/ca/x509/issue.ts';
import { authority, leaf, must, nextSerial, now, trustDomain } from '../support.ts';

const isInstalled = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!isInstalled)('openssl', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'heddle-ca-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const openssl = (...args: string[]): string =>
    execFileSync('openssl', args, { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'pipe'] });
  const attime = ['-attime', String(now / 1000)];

  it.each([
    { type: 'ec', bits: 224 },
    { type: 'ec', bits: 256 },
    { type: 'ec', bits: 384 },
    { type: 'ec', bits: 521 },
    { type: 'rsa', bits: 2048 },
  ] satisfies KeySpec[])('verifies a leaf under a $type $bits root, for clients and servers', async (spec) => {
    const root = await authority(spec);
    const { certificate } = await leaf(root, 'web');
    const [rootFile, leafFile] = [
      file('root.pem', certificatePem(root.certificate)),
      file('leaf.pem', certificatePem(certificate)),
    ];
    for (const purpose of ['sslclient', 'sslserver']) {
      const args = ['verify', '-x509_strict', ...attime, '-purpose', purpose, '-CAfile', rootFile, leafFile];
      expect(openssl(...args)).toContain('OK');
    }
  });

  it('verifies a new leaf against the old root through the cross-signed one, and not without it', async () => {
    const [old, fresh] = await Promise.all([authority(), authority(undefined, 'pri-new')]);
    const crossed = issued(crossSign(fresh.certificate, old, nextSerial(), now));
    const { certificate } = await leaf(fresh, 'web');
    const rootFile = file('old.pem', certificatePem(old.certificate));
    const leafFile = file('new-leaf.pem', certificatePem(certificate));
    const crossedFile = file('crossed.pem', certificatePem(crossed));
    expect(openssl('verify', ...attime, '-CAfile', rootFile, '-untrusted', crossedFile, leafFile)).toContain('OK');
    expect(() => openssl('verify', ...attime, '-CAfile', rootFile, leafFile)).toThrow(/unable to get local issuer/);
  });

  it('reads the extensions of a leaf in the order the mesh has them', async () => {
    const { certificate } = await leaf(await authority(), 'web');
    const text = openssl('x509', '-noout', '-text', '-in', file('leaf.pem', certificatePem(certificate)));
    const headings = [...text.matchAll(/X509v3 ([A-Z][A-Za-z ]+): ?(critical)?/g)].map((match) =>
      `${match[1]} ${match[2] ?? ''}`.trim(),
    );
    expect(headings).toEqual([
      'Key Usage critical',
      'Extended Key Usage',
      'Basic Constraints critical',
      'Subject Key Identifier',
      'Authority Key Identifier',
      'Subject Alternative Name',
    ]);
    expect(text).toContain(`URI:spiffe://${trustDomain}/ns/default/dc/dc1/svc/web`);
    expect(text).toContain('TLS Web Client Authentication, TLS Web Server Authentication');
  });

  it('accepts our CSR and key; we accept its CSR', async () => {
    const key = await generateKey({ type: 'ec', bits: 256 });
    const names = {
      uris: [`spiffe://${trustDomain}/ns/default/dc/dc1/svc/web`],
      dnsNames: ['a.b'],
      ipAddresses: ['::1'],
    };
    const ours = file('ours.csr', buildCsr({ commonName: 'web', ...names }, key));
    const text = openssl('req', '-in', ours, '-noout', '-text', '-verify');
    expect(text).toContain('IP Address:0:0:0:0:0:0:0:1');
    const keyFile = file('key.pem', privateKeyPem(key));
    const theirs = openssl(
      'req',
      '-new',
      '-key',
      keyFile,
      '-subj',
      '/CN=web',
      '-addext',
      `subjectAltName=URI:${names.uris[0]}`,
    );
    expect(must(parseCsr(theirs))).toMatchObject({ commonName: 'web', extensions: { uris: names.uris } });
  });

  it('makes certificates that we read, with comments between them', async () => {
    const key = file('key.pem', privateKeyPem(await generateKey({ type: 'ec', bits: 384 })));
    const pem = openssl('req', '-x509', '-new', '-key', key, '-subj', '/O=Example/CN=Root', '-days', '30');
    expect(must(parseCertificate(pem))).toMatchObject({ commonName: 'Root', extensions: { isCa: true } });
    expect(must(parseCertificates(`# one\n${pem}# two\r\n${pem.replaceAll('\n', '\r\n')}`))).toHaveLength(2);
  });
});
