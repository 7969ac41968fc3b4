/**
 * Signing a leaf, in two steps so that the caller can ask in between whether the requester may have it: first what a CSR
 * asks for and whether it could be granted, then the certificate.
 */
import { ok } from '../../std/result.ts';
import type { CaRoot, IssuedCert } from '../../structs/index.ts';
import { type CaResult, caErr } from '../errors.ts';
import { agentCommonName, serviceCommonName } from '../identity/common-name.ts';
import { type AgentId, formatSpiffe, parseSpiffe, type ServiceId } from '../identity/spiffe.ts';
import { sameTrustDomain, type TrustDomain } from '../identity/trust-domain.ts';
import { serialColonHex } from '../x509/certificate.ts';
import { type Csr, parseCsr } from '../x509/csr.ts';
import { type Issuer, issueLeaf } from '../x509/issue.ts';
import { encodePem } from '../x509/pem.ts';
import { type ConsulProviderConfig, decodeProviderConfig } from './provider-config.ts';
import { activeRootOf, type CaState, dateText, openIssuer, trustDomainOfState } from './roots.ts';

/** What signing needs, opened once and kept while the state stays the same. */
export interface Signer {
  readonly issuer: Issuer;
  readonly root: CaRoot;
  readonly trustDomain: TrustDomain;
  readonly config: ConsulProviderConfig;
}

export function openSigner(state: CaState, sealKey: Uint8Array | null): CaResult<Signer> {
  const issuer = openIssuer(state, sealKey);
  if (!issuer.ok) return issuer;
  const root = activeRootOf(state);
  const trustDomain = trustDomainOfState(state);
  const config = decodeProviderConfig(state.configuration?.Config ?? {});
  if (root === null || trustDomain === null) return caErr('not-initialized', 'cluster has no CA bootstrapped yet');
  return config.ok ? ok({ issuer: issuer.value, root, trustDomain, config: config.value }) : config;
}

/** A request that may be granted if its owner may act for `id`. */
export interface SigningRequest {
  readonly id: ServiceId | AgentId;
  readonly csr: Csr;
}

export function checkCsr(pem: string, trustDomain: TrustDomain, datacenter: string): CaResult<SigningRequest> {
  const csr = parseCsr(pem);
  if (!csr.ok) return csr;
  const { uris, isCa } = csr.value.extensions;
  if (uris.length === 0) return caErr('csr-refused', "CSR didn't include any URI SANs");
  // A second URI would be a second identity that nobody checked.
  if (uris.length > 1) return caErr('csr-refused', `incoming CSR has unexpected number of URIs: ${uris.length}`);
  if (isCa) return caErr('csr-refused', 'CSR asks for a CA certificate');
  const id = parseSpiffe(uris[0]!);
  if (!id.ok) return id;
  if (id.value.kind === 'signing') return caErr('csr-refused', 'SPIFFE ID in CSR must be a service or agent ID');
  if (id.value.datacenter !== datacenter) {
    const text = `SPIFFE ID in CSR from a different datacenter: ${id.value.datacenter}, we are ${datacenter}`;
    return caErr('csr-refused', text);
  }
  // An agent that has just begun cannot know the trust domain yet; its own is put in.
  if (id.value.kind === 'agent') return ok({ id: { ...id.value, trustDomain }, csr: csr.value });
  if (!sameTrustDomain(id.value.trustDomain, trustDomain)) {
    const text = `SPIFFE ID in CSR from a different trust domain: ${id.value.trustDomain}, we are ${trustDomain}`;
    return caErr('csr-refused', text);
  }
  return ok({ id: { ...id.value, trustDomain }, csr: csr.value });
}

/** The leaf, without the private key, which never left the requester. `index`: of the log entry that gave the serial. */
export function signLeaf(
  signer: Signer,
  request: SigningRequest,
  serial: bigint,
  index: number,
  nowMs: number,
): CaResult<IssuedCert> {
  const { issuer, root, config } = signer;
  if (issuer.certificate.notAfterMs <= nowMs) {
    return caErr('chain-expired', `${issuer.certificate.commonName}: the signing certificate has expired`);
  }
  const { id, csr } = request;
  const uri = formatSpiffe(id);
  const leaf = issueLeaf(
    {
      serial,
      commonName: id.kind === 'service' ? serviceCommonName(id) : agentCommonName(id),
      names: { uris: [uri], dnsNames: csr.extensions.dnsNames, ipAddresses: csr.extensions.ipAddresses },
      nowMs,
      ttlMs: config.leafCertTtlMs,
    },
    csr,
    issuer,
  );
  return ok({
    SerialNumber: serialColonHex(serial),
    CertPEM: [encodePem('CERTIFICATE', leaf.der), ...(root.IntermediateCerts ?? [])].join(''),
    PrivateKeyPEM: '',
    Service: id.kind === 'service' ? id.service : '',
    ServiceURI: id.kind === 'service' ? uri : '',
    Agent: id.kind === 'agent' ? id.node : '',
    AgentURI: id.kind === 'agent' ? uri : '',
    ValidAfter: dateText(leaf.notBeforeMs),
    ValidBefore: dateText(leaf.notAfterMs),
    CreateIndex: index,
    ModifyIndex: index,
  });
}
