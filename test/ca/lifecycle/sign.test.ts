/** Signing: what a CSR may ask for, what comes back, and every attack we know of refused. */
import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  agentId,
  buildCsr,
  type CaState,
  checkCsr,
  formatSpiffe,
  generateKey,
  leafKeySpec,
  openSigner,
  parseCertificates,
  type Signer,
  serviceId,
  signLeaf,
} from '../../../src/ca/index.ts';
import { hourMs, must, now, problem, trustDomain } from '../support.ts';
import { csrFor, freshState } from './support.ts';

const uri = formatSpiffe(serviceId(trustDomain, 'dc1', 'web'));

describe('signing a leaf', () => {
  let signer: Signer;
  let state: CaState;
  beforeAll(async () => {
    state = await freshState();
    signer = must(openSigner(state, null));
  });

  it('gives the identity asked for, a computed CommonName and the configured lifetime', async () => {
    const request = must(checkCsr(await csrFor(), trustDomain, 'dc1'));
    expect(request.id).toEqual(serviceId(trustDomain, 'dc1', 'web'));
    const leaf = must(signLeaf(signer, request, 0x12n, 161, now));
    expect(leaf).toMatchObject({
      SerialNumber: '12',
      Service: 'web',
      ServiceURI: uri,
      Agent: '',
      ValidAfter: '2026-11-23T07:17:59Z',
      ValidBefore: '2026-11-26T07:17:59Z',
      CreateIndex: 161,
      ModifyIndex: 161,
    });
    const [certificate] = must(parseCertificates(leaf.CertPEM));
    expect(certificate!.commonName).toBe('web.svc.default.017f3d96.consul');
    expect(certificate!.extensions.uris).toEqual([uri]);
  });

  it('copies DNS names and addresses, and puts the trust domain into an agent that does not know it yet', async () => {
    const key = await generateKey(leafKeySpec);
    const uris = [formatSpiffe(agentId('unknown', 'dc1', 'node-1'))];
    const pem = buildCsr({ commonName: 'x', uris, dnsNames: ['localhost'], ipAddresses: ['127.0.0.1', '::1'] }, key);
    const leaf = must(signLeaf(signer, must(checkCsr(pem, trustDomain, 'dc1')), 3n, 9, now));
    expect(leaf).toMatchObject({
      Agent: 'node-1',
      AgentURI: formatSpiffe(agentId(trustDomain, 'dc1', 'node-1')),
      Service: '',
    });
    const [certificate] = must(parseCertificates(leaf.CertPEM));
    expect(certificate!.extensions).toMatchObject({
      uris: [leaf.AgentURI],
      dnsNames: ['localhost'],
      ipAddresses: ['127.0.0.1', '::1'],
    });
  });

  it.each([
    [
      'another datacenter',
      [formatSpiffe(serviceId(trustDomain, 'dc9', 'web'))],
      'SPIFFE ID in CSR from a different datacenter: dc9, we are dc1',
    ],
    [
      'another trust domain',
      [formatSpiffe(serviceId('evil.consul', 'dc1', 'web'))],
      `SPIFFE ID in CSR from a different trust domain: evil.consul, we are ${trustDomain}`,
    ],
    [
      'a second URI',
      [uri, formatSpiffe(serviceId(trustDomain, 'dc1', 'db'))],
      'incoming CSR has unexpected number of URIs: 2',
    ],
    ['no URI', [], "CSR didn't include any URI SANs"],
    ['the identity of the CA', [`spiffe://${trustDomain}`], 'SPIFFE ID in CSR must be a service or agent ID'],
    ['another scheme', ['https://x'], "SPIFFE ID must have 'spiffe' scheme"],
    ['another path', ['spiffe://x.consul/foo'], 'SPIFFE ID is not in the expected format: spiffe://x.consul/foo'],
  ])('refuses %s', async (_name, uris, text) => {
    expect(problem(checkCsr(await csrFor(uris), trustDomain, 'dc1')).message).toBe(text);
  });

  it('takes our trust domain in any case', async () => {
    const shouted = formatSpiffe(serviceId(trustDomain.toUpperCase(), 'dc1', 'web'));
    expect(must(checkCsr(await csrFor([shouted]), trustDomain, 'dc1')).id.trustDomain).toBe(trustDomain);
  });

  it('refuses a request for a CA certificate, and weak keys', async () => {
    const key = await generateKey(leafKeySpec);
    const names = { uris: [uri], dnsNames: [], ipAddresses: [] };
    const ca = buildCsr({ commonName: 'x', isCa: true, ...names }, key);
    expect(problem(checkCsr(ca, trustDomain, 'dc1')).message).toBe('CSR asks for a CA certificate');
    const tiny = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    expect(problem(checkCsr(buildCsr({ commonName: 'x', ...names }, tiny), trustDomain, 'dc1')).code).toBe('key');
  });

  it('never outlives the certificate that signs, and stops with it', async () => {
    const request = must(checkCsr(await csrFor(), trustDomain, 'dc1'));
    const end = signer.issuer.certificate.notAfterMs;
    const late = must(signLeaf(signer, request, 4n, 1, end - hourMs));
    expect(Date.parse(late.ValidBefore)).toBe(end);
    expect(problem(signLeaf(signer, request, 5n, 1, end)).code).toBe('chain-expired');
  });

  it('is not possible before there is a root', () => {
    const empty = { roots: [], configuration: null, providerState: null };
    const text = 'CA is uninitialized and unable to sign certificates yet: provider is nil';
    expect(problem(openSigner(empty, null)).message).toBe(text);
    expect(problem(openSigner({ ...state, roots: [] }, null)).message).toContain('no root certificate');
  });
});
