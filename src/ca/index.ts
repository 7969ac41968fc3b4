/**
 * Identities and certificates of the mesh. See DESIGN.md for the idea; errors.ts for every error.
 */
export { CaError, type CaErrorCode, type CaResult } from './errors.ts';
export { serviceCommonName } from './identity/common-name.ts';
export type { SniTarget } from './identity/sni.ts';
export {
  type AgentId,
  agentId,
  formatSpiffe,
  parseSpiffe,
  type ServiceId,
  type SigningId,
  type SpiffeId,
  serviceId,
} from './identity/spiffe.ts';
export { type TrustDomain, trustDomainOf } from './identity/trust-domain.ts';
export { colonHex, generateKey, type KeySpec, leafKeySpec, privateKeyPem, spkiOf } from './keys.ts';
export {
  type CaChange,
  type ConfigurationRequest,
  initialise,
  pruneRoots,
  reconfigure,
} from './lifecycle/authority.ts';
export { CsrConcurrencyLimit, CsrRateLimit } from './lifecycle/csr-limits.ts';
export { type Lifetime, renewalAt, retryAt, rootChangeAt } from './lifecycle/leaf-renewal.ts';
export {
  type ConsulProviderConfig,
  fromFileKeys,
  initialProviderConfig,
  type ProviderConfig,
} from './lifecycle/provider-config.ts';
export type { AuthorityContext, CaState } from './lifecycle/roots.ts';
export { checkCsr, openSigner, type Signer, type SigningRequest, signLeaf } from './lifecycle/sign.ts';
export { isSealed, parseSealKey } from './seal.ts';
export { type Certificate, parseCertificate, parseCertificates } from './x509/certificate.ts';
export { buildCsr, type Csr, type CsrTemplate } from './x509/csr.ts';
export { type ChainRequest, type PeerRequest, type Purpose, verifyChain, verifyPeer } from './x509/verify-chain.ts';
