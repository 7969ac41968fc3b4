/** Which chains are trusted: a table of what may be wrong with one, each case made with real keys. */
import { beforeAll, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/ca/x509/certificate.ts';
import { buildCsr, parseCsr } from '../../../src/ca/x509/csr.ts';
import { crossSign, type Issuer, issued, issueIntermediate } from '../../../src/ca/x509/issue.ts';
import { spiffeIdOf, verifyChain, verifyPeer } from '../../../src/ca/x509/verify-chain.ts';
import { authority, hourMs, type Leaf, leaf, must, nextSerial, now, problem, trustDomain } from '../support.ts';

describe('chain verification', () => {
  let root: Issuer;
  let other: Issuer;
  let web: Leaf;
  beforeAll(async () => {
    root = await authority();
    other = await authority();
    web = await leaf(root, 'web');
  });
  const ask = (part: object) =>
    verifyChain({
      certificate: web.certificate,
      intermediates: [],
      roots: [root.certificate],
      nowMs: now,
      purpose: 'client',
      ...part,
    });

  it('trusts a leaf of a known root, for both purposes, whatever else the peer sent', () => {
    expect(must(ask({}))).toEqual([web.certificate, root.certificate]);
    must(ask({ purpose: 'server' }));
    must(ask({ intermediates: [other.certificate, web.certificate], roots: [other.certificate, root.certificate] }));
  });

  it('does not trust another root, even one of the same name', async () => {
    expect(problem(ask({ roots: [other.certificate] })).code).toBe('chain-untrusted');
    expect(problem(ask({ roots: [] })).code).toBe('chain-untrusted');
    // Trusting what the peer itself sent would be trusting the peer.
    expect(problem(ask({ roots: [other.certificate], intermediates: [root.certificate] })).code).toBe(
      'chain-untrusted',
    );
  });

  it.each([
    ['before it begins', -2 * 60_000, 'not yet valid'],
    ['after it ended', 72 * hourMs, 'has expired'],
  ])('refuses a leaf %s', (_name, offsetMs, text) => {
    const error = problem(ask({ nowMs: now + offsetMs }));
    expect(error).toMatchObject({ code: 'chain-expired', message: expect.stringContaining(text) });
  });

  it('refuses an expired root', async () => {
    const old = await authority(undefined, 'old', now - 11 * 365 * 24 * hourMs);
    const { certificate } = await leaf({ ...root, certificate: old.certificate, key: old.key }, 'web', {
      nowMs: now - 11 * 365 * 24 * hourMs,
      ttlMs: 10 * 365 * 24 * hourMs,
    });
    expect(problem(ask({ certificate, roots: [old.certificate] })).code).toBe('chain-expired');
  });

  it('refuses a leaf that signs another leaf', async () => {
    const { certificate } = await leaf({ certificate: web.certificate, key: web.key }, 'db', { ttlMs: hourMs });
    const error = problem(ask({ certificate, intermediates: [web.certificate] }));
    expect(error).toMatchObject({
      code: 'chain-purpose',
      message: expect.stringContaining('may not sign certificates'),
    });
  });

  it('refuses a CA certificate used as a leaf', () => {
    expect(problem(ask({ certificate: root.certificate })).code).toBe('chain-purpose');
  });

  it('follows a cross-signed root from the new leaf to the old root', async () => {
    const crossed = issued(crossSign(other.certificate, root, nextSerial(), now));
    const { certificate } = await leaf(other, 'web');
    must(ask({ certificate, intermediates: [crossed] }));
    expect(problem(ask({ certificate, intermediates: [crossed], nowMs: now + 8 * 24 * hourMs })).code).toBe(
      'chain-expired',
    );
  });

  it('holds an intermediate to its path length', async () => {
    const signer = await authority();
    const names = { uris: [`spiffe://${trustDomain}`], dnsNames: [], ipAddresses: [] };
    const csr = must(parseCsr(buildCsr({ commonName: 'sec-1', isCa: true, ...names }, signer.key)));
    const intermediate = issued(issueIntermediate(csr, root, nextSerial(), now, 8760 * hourMs));
    const { certificate } = await leaf({ certificate: intermediate, key: signer.key }, 'web');
    must(ask({ certificate, intermediates: [intermediate] }));

    const rogue = issued(
      crossSign(other.certificate, { certificate: intermediate, key: signer.key }, nextSerial(), now),
    );
    const deeper = await leaf(other, 'web');
    const error = problem(ask({ certificate: deeper.certificate, intermediates: [rogue, intermediate] }));
    expect(error).toMatchObject({ code: 'chain-purpose', message: expect.stringContaining('path length') });
  });

  it('ends in bounded time on a thicket of cross-signatures', async () => {
    const names = Array.from({ length: 6 }, (_, i) => `ca-${i}`);
    const authorities = await Promise.all(names.map((name) => authority(undefined, name)));
    const thicket = authorities.flatMap((a) =>
      authorities.filter((b) => a !== b).map((b) => issued(crossSign(a.certificate, b, nextSerial(), now))),
    );
    const { certificate } = await leaf(authorities[0]!, 'web');
    expect(problem(ask({ certificate, intermediates: thicket })).code).toBe('chain-untrusted');
  });

  it('refuses altered bytes: whichever bit is flipped, nothing is trusted', () => {
    for (let i = 0; i < web.certificate.der.length; i++) {
      const der = Buffer.from(web.certificate.der);
      der[i]! ^= 1;
      const parsed = parseCertificate(der);
      if (parsed.ok) expect(ask({ certificate: parsed.value }).ok, `bit of byte ${i}`).toBe(false);
    }
  });
});

describe('peer identity', () => {
  it('is the one SPIFFE ID of the certificate, in our trust domain', async () => {
    const root = await authority();
    const { certificate } = await leaf(root, 'web');
    const request = { certificate, intermediates: [], roots: [root.certificate], nowMs: now };
    expect(must(verifyPeer({ ...request, trustDomain }))).toMatchObject({ kind: 'service', service: 'web' });
    expect(problem(verifyPeer({ ...request, trustDomain: 'other.consul' })).message).toContain(
      'different trust domain',
    );
  });

  it.each([
    ['no URI', []],
    ['two URIs', [`spiffe://${trustDomain}/ns/a/dc/b/svc/c`, `spiffe://${trustDomain}/ns/a/dc/b/svc/d`]],
    ['a URI of another kind', ['https://example.com']],
    ['the signing ID', [`spiffe://${trustDomain}`]],
  ])('is refused with %s', async (_name, uris) => {
    const root = await authority();
    const { certificate } = await leaf(root, 'web', { uris });
    const peer = verifyPeer({ certificate, intermediates: [], roots: [root.certificate], nowMs: now, trustDomain });
    expect(peer.ok).toBe(false);
    if (uris.length !== 1) expect(problem(spiffeIdOf(certificate)).code).toBe('chain-purpose');
  });
});
