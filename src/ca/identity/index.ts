/** The room's second door: identities alone, pure, for processes that must start without the certificate machinery. */
export { type SniTarget, serviceSni } from './sni.ts';
export {
  type AgentId,
  parseSpiffe,
  type ServiceId,
  type SigningId,
  type SpiffeId,
  sameSpiffe,
  serviceId,
} from './spiffe.ts';
export type { TrustDomain } from './trust-domain.ts';
