/**
 * The trust domain of a mesh: `<cluster id>.consul`, where the cluster id is a UUID drawn once by the first leader of
 * the primary datacenter. The suffix is always `consul`, whatever the DNS domain: existing proxies and tools match on it.
 */
export type TrustDomain = string;

export function trustDomainOf(clusterId: string): TrustDomain {
  return `${clusterId}.consul`.toLowerCase();
}

/** Host names carry no case, so neither do trust domains. */
export function sameTrustDomain(a: TrustDomain, b: TrustDomain): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** The first eight characters stand for the whole in CommonNames, which are limited to 64. */
export function shortTrustDomain(trustDomain: TrustDomain): string {
  return trustDomain.slice(0, 8).toLowerCase();
}
