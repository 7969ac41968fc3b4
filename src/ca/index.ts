/**
 * Identities and certificates of the mesh. See DESIGN.md for the idea; errors.ts for every error.
 */
export { CaError, type CaErrorCode, type CaResult, caErrorCodes } from './errors.ts';
export { agentCommonName, authorityCommonName, serviceCommonName } from './identity/common-name.ts';
export { datacenterSni, querySni, type SniTarget, serviceSni } from './identity/sni.ts';
export {
  type AgentId,
  agentId,
  formatSpiffe,
  parseSpiffe,
  type ServiceId,
  type SigningId,
  type SpiffeId,
  sameSpiffe,
  serviceId,
  signingId,
} from './identity/spiffe.ts';
export { sameTrustDomain, type TrustDomain, trustDomainOf } from './identity/trust-domain.ts';
export {
  colonHex,
  generateKey,
  type KeySpec,
  keyIdOf,
  keySpecOf,
  leafKeySpec,
  parsePrivateKey,
  privateKeyPem,
  spkiOf,
} from './keys.ts';
export {
  builtInProvider,
  type CaChange,
  type ConfigurationRequest,
  initialise,
  pruneRoots,
  reconfigure,
} from './lifecycle/authority.ts';
export { CsrConcurrencyLimit, CsrRateLimit, csrWaitMaxMs } from './lifecycle/csr-limits.ts';
export { type Lifetime, renewalAt, retryAt, rootChangeAt, spreadMs } from './lifecycle/leaf-renewal.ts';
export {
  type ConsulProviderConfig,
  decodeProviderConfig,
  fromFileKeys,
  initialProviderConfig,
  type ProviderConfig,
} from './lifecycle/provider-config.ts';
export { type AuthorityContext, activeRootOf, type CaState, dateText, trustDomainOfState } from './lifecycle/roots.ts';
export { checkCsr, openSigner, type Signer, type SigningRequest, signLeaf } from './lifecycle/sign.ts';
export { isSealed, parseSealKey, sealKeyBytes } from './seal.ts';
export {
  type Certificate,
  certificatePem,
  fingerprint,
  parseCertificate,
  parseCertificates,
  publicKeyOf,
  serialColonHex,
} from './x509/certificate.ts';
export { buildCsr, type Csr, type CsrTemplate, parseCsr } from './x509/csr.ts';
export {
  type ChainRequest,
  type PeerRequest,
  type Purpose,
  spiffeIdOf,
  verifyChain,
  verifyPeer,
} from './x509/verify-chain.ts';
