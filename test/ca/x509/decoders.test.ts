/** Everything that reads foreign bytes answers with a value or a CaError; nothing throws, whatever comes. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { CaError } from '../../../src/ca/errors.ts';
import { generateKey, parsePrivateKey, privateKeyPem } from '../../../src/ca/keys.ts';
import { decode, derBytesMax } from '../../../src/ca/x509/asn1.ts';
import {
  certificatePem,
  fingerprint,
  parseCertificate,
  parseCertificates,
  serialColonHex,
} from '../../../src/ca/x509/certificate.ts';
import { buildCsr, parseCsr } from '../../../src/ca/x509/csr.ts';
import { decodePem, encodePem } from '../../../src/ca/x509/pem.ts';
import { authority, leaf, must, problem } from '../support.ts';

const names = {
  uris: ['spiffe://x.consul/ns/default/dc/dc1/svc/web'],
  dnsNames: ['localhost', '*.example.com'],
  ipAddresses: ['127.0.0.1', '::1', '2001:db8::5:0:0:1', '1:2:3:4:5:6:7:8', '::'],
};

describe('decoders', () => {
  let samples: Uint8Array[];
  let csrPem: string;
  beforeAll(async () => {
    const root = await authority();
    const key = await generateKey({ type: 'ec', bits: 256 });
    csrPem = buildCsr({ commonName: 'x', ...names }, key);
    samples = [root.certificate.der, (await leaf(root, 'web')).certificate.der, must(decodePem(csrPem))[0]!.bytes];
  });

  const mutate = fc.record({
    sample: fc.nat(2),
    edits: fc.array(
      fc.record({ at: fc.nat(), byte: fc.nat(255), kind: fc.constantFrom('set', 'insert', 'delete', 'cut') }),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
  });

  it('of DER survive any edit of real structures', () => {
    fc.assert(
      fc.property(mutate, ({ sample, edits }) => {
        const bytes = [...samples[sample]!];
        for (const { at, byte, kind } of edits) {
          const place = at % bytes.length;
          if (kind === 'set') bytes[place] = byte;
          else if (kind === 'insert') bytes.splice(place, 0, byte);
          else if (kind === 'delete' && bytes.length > 1) bytes.splice(place, 1);
          else if (place > 0) bytes.length = place;
        }
        const der = Uint8Array.from(bytes);
        for (const result of [
          parseCertificate(der),
          parseCertificate(encodePem('CERTIFICATE', der)),
          parseCsr(encodePem('CERTIFICATE REQUEST', der)),
          parsePrivateKey(encodePem('PRIVATE KEY', der)),
        ]) {
          if (!result.ok) expect(result.error).toBeInstanceOf(CaError);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('survive arbitrary bytes and texts', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'binary' }), (bytes, text) => {
        for (const result of [
          decode(bytes),
          parseCertificate(bytes),
          parseCertificates(text),
          parseCsr(text),
          parsePrivateKey(text),
        ]) {
          if (!result.ok) expect(result.error).toBeInstanceOf(CaError);
        }
      }),
    );
  });

  it('refuse depth and size without harm', () => {
    const deep = new Uint8Array(20_000);
    for (let i = 0; i < deep.length; i += 2) deep.set([0x30, 0x80], i);
    expect(problem(decode(deep)).code).toBe('asn1');
    expect(problem(decode(new Uint8Array(derBytesMax + 1))).code).toBe('asn1');
  });

  it('refuse a second reading: BER lengths, bytes after the end', () => {
    const der = samples[1]!;
    expect(problem(parseCertificate(Buffer.concat([der, Buffer.of(0)]))).code).toBe('asn1');
    const long = Buffer.concat([Buffer.of(der[0]!, 0x83, 0x00), der.subarray(2)]); // the same length in one byte more
    expect(problem(parseCertificate(long)).message).toMatch(/DER|read/);
  });

  it('give alternative names back as they were asked for', () => {
    const csr = must(parseCsr(csrPem));
    expect(csr.extensions).toMatchObject(names);
  });

  it('refuse a CSR whose signature is not by its own key', () => {
    const forged = Buffer.from(samples[2]!);
    forged[forged.length - 1]! ^= 1; // the last byte of the signature's second number
    expect(problem(parseCsr(encodePem('CERTIFICATE REQUEST', forged)))).toMatchObject({ code: 'csr-refused' });
  });

  it('refuse a CSR in the wrong wrapping with the texts people know', () => {
    expect(problem(parseCsr('nothing')).message).toBe('no PEM-encoded data found');
    expect(problem(parseCsr(encodePem('CERTIFICATE', samples[0]!))).message).toBe(
      'first PEM-block should be CERTIFICATE REQUEST type',
    );
  });
});

describe('keys', () => {
  it.each([
    { type: 'ec', bits: 224 },
    { type: 'ec', bits: 256 },
    { type: 'ec', bits: 384 },
    { type: 'ec', bits: 521 },
    { type: 'rsa', bits: 2048 },
  ] as const)('$type $bits: printed, read back, used to sign', async (spec) => {
    const key = await generateKey(spec);
    const pem = privateKeyPem(key);
    expect(pem).toMatch(
      spec.type === 'ec' ? /^-----BEGIN EC PRIVATE KEY-----\n/ : /^-----BEGIN RSA PRIVATE KEY-----\n/,
    );
    expect(must(parsePrivateKey(pem)).equals(key)).toBe(true);
    expect(must(parsePrivateKey(key.export({ format: 'pem', type: 'pkcs8' }) as string)).equals(key)).toBe(true);
    must(parseCsr(buildCsr({ commonName: 'x', ...names }, key)));
    const root = await authority(spec);
    expect(must(parseCertificate(certificatePem(root.certificate))).der).toEqual(root.certificate.der);
  });

  it('that are too weak are refused wherever they appear', async () => {
    const { generateKeyPairSync } = await import('node:crypto');
    const tiny = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    expect(problem(parsePrivateKey(privateKeyPem(tiny))).message).toBe(
      'RSA key of 1024 bits is not accepted: use 2048 to 8192',
    );
    expect(problem(parseCsr(buildCsr({ commonName: 'x', ...names }, tiny))).code).toBe('key');
    const odd = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
    expect(problem(parseCsr(buildCsr({ commonName: 'x', ...names }, odd))).message).toContain('secp256k1');
    const edwards = generateKeyPairSync('ed25519').privateKey;
    expect(problem(parsePrivateKey(privateKeyPem(edwards))).message).toContain('ed25519');
  });

  it('that cannot be read leave nothing of themselves in the error', () => {
    const secret = Buffer.from('topsecretkeymaterial');
    for (const label of ['EC PRIVATE KEY', 'RSA PRIVATE KEY', 'PRIVATE KEY']) {
      const error = problem(parsePrivateKey(encodePem(label, secret)));
      expect(JSON.stringify([error.message, error.fields])).not.toMatch(/topsecret|dG9wc2Vj/);
    }
  });
});

describe('printing', () => {
  it.each([
    [0x0bn, '0b'],
    [0x12cn, '01:2c'],
    [0xffn, 'ff'],
  ])('serial %s as %s', (serial, text) => {
    expect(serialColonHex(serial)).toBe(text);
  });

  it('names a root by the SHA-1 of its bytes', async () => {
    const { certificate } = await authority();
    expect(fingerprint(certificate)).toMatch(/^([0-9a-f]{2}:){19}[0-9a-f]{2}$/);
  });
});
