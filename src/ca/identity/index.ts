/** The room's second door: identities alone, pure, for processes that must start without the certificate machinery. */
export { agentCommonName, authorityCommonName, serviceCommonName } from './common-name.ts';
export { datacenterSni, querySni, type SniTarget, serviceSni } from './sni.ts';
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
} from './spiffe.ts';
export { sameTrustDomain, type TrustDomain, trustDomainOf } from './trust-domain.ts';
