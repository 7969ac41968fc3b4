/** Fetches one leaf: a fresh key, a CSR for the identity, the leader's signature, and a look at what came back. */
import type { Backend, Caller } from '../../api/backend.ts';
import {
  buildCsr,
  CaError,
  colonHex,
  formatSpiffe,
  generateKey,
  leafKeySpec,
  parseCertificates,
  privateKeyPem,
  serviceCommonName,
  serviceId,
  spkiOf,
} from '../../ca/index.ts';
import type { IssuedCert } from '../../structs/index.ts';
import type { RootsCache } from './roots-cache.ts';

export interface HeldLeaf {
  readonly cert: IssuedCert;
  readonly validAfterMs: number;
  readonly validBeforeMs: number;
  /** Colon hex of the key that signed it: a root's SigningKeyID. */
  readonly signingKeyId: string;
}

export interface LeafIssuer {
  readonly backend: Pick<Backend, 'call' | 'datacenter'>;
  readonly roots: RootsCache;
  readonly service: string;
  readonly datacenter: string;
  readonly token: string;
}

export function issuerOf({ backend, roots, service, datacenter, token }: LeafIssuer): () => Promise<HeldLeaf> {
  const caller: Caller = {
    token,
    address: '',
    call: `GET /v1/agent/connect/ca/leaf/${service}`,
    datacenter: datacenter === backend.datacenter ? '' : datacenter,
  };
  return async () => {
    const known = await roots.read({ datacenter, minIndex: 0, waitMs: 0 });
    const id = serviceId(known.roots.TrustDomain, datacenter, service);
    const key = await generateKey(leafKeySpec);
    const names = { uris: [formatSpiffe(id)], dnsNames: [], ipAddresses: [] };
    const csr = buildCsr({ commonName: serviceCommonName(id), ...names }, key);
    const cert = await backend.call('ca.sign', { csr }, caller);
    const leaf = parseCertificates(cert.CertPEM);
    if (!leaf.ok) throw leaf.error;
    const [certificate] = leaf.value;
    // Whatever answered, only a leaf for our own key and identity is of use.
    if (
      certificate === undefined ||
      Buffer.compare(certificate.spki, spkiOf(key)) !== 0 ||
      certificate.extensions.uris[0] !== names.uris[0]
    ) {
      throw new CaError('chain-purpose', 'the certificate that came back is not the one asked for', { service });
    }
    return {
      cert: { ...cert, PrivateKeyPEM: privateKeyPem(key) },
      validAfterMs: certificate.notBeforeMs,
      validBeforeMs: certificate.notAfterMs,
      signingKeyId: colonHex(certificate.extensions.authorityKeyId ?? new Uint8Array()),
    };
  };
}
