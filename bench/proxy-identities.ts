/** Certificates for the proxy benchmark, from an authority of its own. */
import { randomBytes, randomUUID } from 'node:crypto';
import {
  buildCsr,
  checkCsr,
  formatSpiffe,
  generateKey,
  initialise,
  leafKeySpec,
  openSigner,
  privateKeyPem,
  serviceId,
  signLeaf,
} from '../src/ca/index.ts';
import type { Result } from '../src/std/result.ts';

export interface BenchIdentities {
  readonly roots: object;
  leaf(service: string): Promise<object>;
}

export async function makeIdentities(): Promise<BenchIdentities> {
  let serial = 1n;
  const context = { nowMs: Date.now(), randomBytes, nextSerial: async () => serial++, sealKey: null };
  const state = must(await initialise(randomUUID(), { Provider: 'consul', Config: {} }, context));
  const signer = must(openSigner(state, null));
  return {
    roots: { TrustDomain: signer.trustDomain, Roots: state.roots },
    leaf: async (service) => {
      const key = await generateKey(leafKeySpec);
      const uri = formatSpiffe(serviceId(signer.trustDomain, 'dc1', service));
      const csr = buildCsr({ commonName: service, uris: [uri], dnsNames: [], ipAddresses: [] }, key);
      const request = must(checkCsr(csr, signer.trustDomain, 'dc1'));
      const leaf = must(signLeaf(signer, request, serial++, 1, Date.now()));
      return { ...leaf, PrivateKeyPEM: privateKeyPem(key) };
    },
  };
}

function must<T, E>(result: Result<T, E>): T {
  if (!result.ok) throw result.error;
  return result.value;
}
