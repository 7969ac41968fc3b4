/** The authority: first root, reconfiguration, rotation, pruning; each decision against the state it answers. */
import { describe, expect, it } from 'vitest';
import {
  type CaState,
  type ConfigurationRequest,
  generateKey,
  initialise,
  isSealed,
  openSigner,
  parseCertificate,
  parseCertificates,
  privateKeyPem,
  pruneRoots,
  reconfigure,
  verifyChain,
} from '../../../src/ca/index.ts';
import { checkCsr, signLeaf } from '../../../src/ca/lifecycle/sign.ts';
import { certificatePem } from '../../../src/ca/x509/certificate.ts';
import { clusterId, hourMs, authority as makeAuthority, must, now, problem, trustDomain } from '../support.ts';
import { context, csrFor, freshState, sealKey, stateOf } from './support.ts';

const request = (part: Partial<ConfigurationRequest>): ConfigurationRequest => ({
  Provider: 'consul',
  Config: {},
  State: null,
  ForceWithoutCrossSigning: false,
  ...part,
});
const newKey = async (): Promise<string> => privateKeyPem(await generateKey({ type: 'ec', bits: 256 }));
const active = (state: CaState) => state.roots.filter((root) => root.Active);

/** Applies a configuration that must be accepted and change something. */
async function change(state: CaState, part: Partial<ConfigurationRequest>, ctx = context()): Promise<CaState> {
  const result = must(await reconfigure(state, request(part), ctx));
  expect(result).not.toBeNull();
  return stateOf(result!);
}

async function sign(state: CaState, nowMs = now) {
  const signer = must(openSigner(state, null));
  return must(signLeaf(signer, must(checkCsr(await csrFor(), trustDomain, 'dc1')), 99n, 5, nowMs));
}

describe('initialisation', () => {
  it('makes one active root and keeps its key', async () => {
    const state = await freshState();
    expect(state.roots).toHaveLength(1);
    expect(state.roots[0]).toMatchObject({
      Name: 'Consul CA Primary Cert',
      SerialNumber: 7,
      ExternalTrustDomain: clusterId,
      NotBefore: '2026-11-23T07:18:59Z',
      NotAfter: '2036-11-23T07:18:59Z',
      IntermediateCerts: null,
      Active: true,
      PrivateKeyType: 'ec',
      PrivateKeyBits: 256,
    });
    const certificate = must(parseCertificate(state.roots[0]!.RootCert));
    expect(certificate.commonName).toMatch(/^pri-[a-z0-9]{7,8}\.consul\.ca\.017f3d96\.consul$/);
    expect(state.configuration).toMatchObject({ ClusterID: clusterId, Provider: 'consul', State: null });
    expect(state.providerState?.PrivateKey).toContain('BEGIN EC PRIVATE KEY');
  });

  it('makes an RSA root on request, and takes a root that is brought', async () => {
    const rsa = await freshState({ PrivateKeyType: 'rsa', PrivateKeyBits: 2048 });
    expect(rsa.roots[0]).toMatchObject({ PrivateKeyType: 'rsa', PrivateKeyBits: 2048 });
    const brought = await makeAuthority();
    const pem = certificatePem(brought.certificate);
    const state = await freshState({ PrivateKey: privateKeyPem(brought.key), RootCert: pem });
    expect(state.roots[0]!.RootCert).toBe(pem);
    await sign(state);
  });

  it.each([
    ['an unknown provider', { Provider: 'weird' }, 'could not initialize provider: unknown CA provider "weird"'],
    [
      'a bad value',
      { Config: { LeafCertTTL: '1m' } },
      'error configuring provider: leaf cert TTL must be greater or equal than 1h0m0s',
    ],
    [
      'a key that is none',
      { Config: { PrivateKey: 'junk' } },
      'error generating CA root certificate: error generating CA: error parsing private key "junk": no PEM-encoded data found',
    ],
  ])('refuses %s', async (_name, part, text) => {
    const result = await initialise(clusterId, request(part), context());
    expect(problem(result).message).toBe(text);
  });

  it('refuses a root that is not of the key, or no CA, or not valid', async () => {
    const [mine, other] = [await makeAuthority(), await makeAuthority()];
    const cases = [
      [certificatePem(other.certificate), now, 'root cert is for a different private key'],
      [certificatePem(mine.certificate), now + 11 * 365 * 24 * hourMs, 'root cert is not valid now'],
      ['junk', now, 'no PEM-encoded data found'],
    ] as const;
    for (const [RootCert, nowMs, text] of cases) {
      const Config = { PrivateKey: privateKeyPem(mine.key), RootCert };
      const result = await initialise(clusterId, request({ Config }), context({ nowMs }));
      expect(problem(result).message).toBe(`error generating CA root certificate: ${text}`);
    }
  });

  it('repeats nothing of a damaged key', async () => {
    const damaged = (await newKey()).replace('BEGIN EC', 'BEGIN  EC');
    const error = problem(await initialise(clusterId, request({ Config: { PrivateKey: damaged } }), context()));
    expect(error.message).toContain('error parsing private key of');
    expect(error.message).not.toContain(damaged.slice(40, 60));
  });
});

describe('a configuration that does not rotate', () => {
  it('changes nothing when provider and config are the same', async () => {
    const state = await freshState({ LeafCertTTL: '72h' });
    expect(must(await reconfigure(state, request({ Config: { LeafCertTTL: '72h' } }), context()))).toBeNull();
  });

  it.each([
    { LeafCertTTL: '48h', IntermediateCertTTL: '8760h' },
    { PrivateKeyType: 'rsa', PrivateKeyBits: 2048 },
    { leaf_cert_ttl: '47h' },
  ])('keeps the root and stores %j as given', async (Config) => {
    const state = await freshState({ LeafCertTTL: '72h' });
    const next = await change(state, { Config });
    expect(next.roots).toEqual(state.roots);
    expect(next.configuration?.Config).toEqual(Config);
    expect(next.providerState).toEqual(state.providerState);
  });

  it('keeps the root when a shown configuration comes back edited, with the mark in place of the key', async () => {
    const state = await change(await freshState(), { Config: { PrivateKey: await newKey() } });
    const shown = state.configuration!.Config!;
    expect(JSON.stringify(shown)).not.toContain('PRIVATE KEY');
    const next = await change(state, { Config: { ...shown, LeafCertTTL: '24h' } });
    expect(next.roots).toEqual(state.roots);
  });

  it('refuses a provider state other than the current one', async () => {
    const state = await freshState();
    const error = problem(await reconfigure(state, request({ State: { foo: 'bar' } }), context()));
    expect(error).toMatchObject({
      code: 'config-state',
      message: 'Provider State is read-only. It must be omitted or identical to the current value',
    });
  });
});

describe('rotation', () => {
  it('makes a new active root, cross-signed by the old one, which stays listed', async () => {
    const state = await freshState();
    const next = await change(state, { Config: { PrivateKey: await newKey() } }, context({ nowMs: now + hourMs }));
    expect(next.roots).toHaveLength(2);
    expect(active(next)).toHaveLength(1);
    const [old, fresh] = next.roots as [CaState['roots'][0], CaState['roots'][0]];
    expect(old).toMatchObject({ ID: state.roots[0]!.ID, Active: false, RotatedOutAt: now + hourMs });
    const bridge = must(parseCertificates(fresh.IntermediateCerts!.join('')))[0]!;
    expect(bridge.issuerCommonName).toBe(must(parseCertificate(old.RootCert)).commonName);
    expect(next.providerState?.ID).not.toBe(state.providerState?.ID);
  });

  it('old leaves and new leaves verify against old roots and new, both ways', async () => {
    const state = await freshState();
    const next = await change(state, { Config: { PrivateKey: await newKey() } });
    const bundle = (roots: CaState['roots']) => roots.map((root) => must(parseCertificate(root.RootCert)));
    for (const leaf of [await sign(state), await sign(next)]) {
      const [certificate, ...intermediates] = must(parseCertificates(leaf.CertPEM));
      for (const roots of [bundle(state.roots), bundle(next.roots)]) {
        must(verifyChain({ certificate: certificate!, intermediates, roots, nowMs: now, purpose: 'client' }));
      }
    }
  });

  it('without cross-signing when forced: no bridge', async () => {
    const next = await change(await freshState(), {
      Config: { PrivateKey: await newKey() },
      ForceWithoutCrossSigning: true,
    });
    expect(active(next)[0]!.IntermediateCerts).toBeNull();
    expect(next.configuration?.ForceWithoutCrossSigning).toBe(true);
  });

  it('back to a generated key makes a third root', async () => {
    const second = await change(await freshState(), { Config: { PrivateKey: await newKey() } });
    const third = await change(second, { Config: {} });
    expect(third.roots).toHaveLength(3);
    expect(active(third)).toHaveLength(1);
  });

  it('to the same root certificate changes no root', async () => {
    const brought = await makeAuthority();
    const pem = certificatePem(brought.certificate);
    const state = await freshState({ PrivateKey: privateKeyPem(brought.key), RootCert: pem });
    const pkcs8 = brought.key.export({ format: 'pem', type: 'pkcs8' }) as string;
    const next = await change(state, { Config: { PrivateKey: pkcs8, RootCert: pem } });
    expect(next.roots).toEqual(state.roots);
  });

  it('is refused when the old provider may not cross-sign, unless forced', async () => {
    const state = await freshState({ DisableCrossSigning: true });
    const Config = { PrivateKey: await newKey() };
    expect(problem(await reconfigure(state, request({ Config }), context()))).toMatchObject({
      code: 'cannot-cross-sign',
      message: expect.stringContaining('The current CA Provider does not support cross-signing.'),
    });
    await change(state, { Config, ForceWithoutCrossSigning: true });
  });

  it('does not take a mark for another key', async () => {
    const state = await freshState();
    const Config = { PrivateKey: `hidden:sha256:${'0'.repeat(64)}` };
    expect(problem(await reconfigure(state, request({ Config }), context())).message).toContain('is the mark of a key');
  });
});

describe('pruning', () => {
  it('forgets a root two leaf lifetimes after it stopped signing, not earlier, and never the active one', async () => {
    const state = await change(await freshState({ LeafCertTTL: '10h' }), { Config: { PrivateKey: await newKey() } });
    expect(pruneRoots(state, now + 20 * hourMs)).toBeNull();
    const pruned = pruneRoots(state, now + 20 * hourMs + 1);
    expect(pruned?.roots).toEqual(active(state));
    expect(pruneRoots(stateOf(pruned!), now + 1_000 * hourMs)).toBeNull();
  });

  it('counts the longest lifetime that was given, not the one configured last', async () => {
    const long = await freshState({ LeafCertTTL: '72h' });
    const short = await change(long, { Config: { LeafCertTTL: '1h' } });
    const rotated = await change(short, { Config: { LeafCertTTL: '1h', PrivateKey: await newKey() } });
    expect(pruneRoots(rotated, now + 144 * hourMs)).toBeNull();
    expect(pruneRoots(rotated, now + 144 * hourMs + 1)?.roots).toEqual(active(rotated));
  });
});

describe('a sealed key', () => {
  it('is stored encrypted, signs and rotates with the right key only', async () => {
    const ctx = context({ sealKey });
    const state = await freshState({}, ctx);
    expect(isSealed(state.providerState!.PrivateKey)).toBe(true);
    expect(JSON.stringify(state)).not.toContain('PRIVATE KEY');
    must(openSigner(state, sealKey));
    expect(problem(openSigner(state, null)).code).toBe('sealed');
    expect(problem(openSigner(state, new Uint8Array(32))).code).toBe('sealed');
    const next = await change(state, { Config: { PrivateKey: await newKey() } }, ctx);
    expect(JSON.stringify(next)).not.toContain('PRIVATE KEY');
  });
});
