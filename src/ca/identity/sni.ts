/** The server names proxies and gateways put into a TLS ClientHello, so that a gateway can route without decrypting. */
import type { TrustDomain } from './trust-domain.ts';

export interface SniTarget {
  readonly service: string;
  readonly subset?: string;
  readonly namespace?: string;
  readonly datacenter: string;
}

export function serviceSni(target: SniTarget, trustDomain: TrustDomain): string {
  const subset = target.subset ? `${target.subset}.` : '';
  return `${subset}${target.service}.${target.namespace || 'default'}.${target.datacenter}.internal.${trustDomain}`;
}

export function datacenterSni(datacenter: string, trustDomain: TrustDomain): string {
  return `${datacenter}.internal.${trustDomain}`;
}

export function querySni(query: string, datacenter: string, trustDomain: TrustDomain): string {
  return `${query}.default.${datacenter}.query.${trustDomain}`;
}
