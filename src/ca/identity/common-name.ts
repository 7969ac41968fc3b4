/**
 * CommonNames. Nothing decides on them (the SPIFFE URI does); they let a person recognise a certificate, and X.520
 * allows 64 characters. So parts are lower-cased, stripped to letters and digits, and cut:
 *
 *     <service>.svc.<namespace>.<td8>.consul      service + namespace at most 43
 *     <node>.agnt.<td8>.consul                    node at most 43
 *     pri-<uid>.<provider>.ca.<td8>.consul        the CA of the primary datacenter; sec- in others
 */
import { assert } from '../../std/assert.ts';
import type { AgentId, ServiceId } from './spiffe.ts';
import { shortTrustDomain, type TrustDomain } from './trust-domain.ts';

const commonNameMax = 64;
const namesMax = commonNameMax - '.svc..12345678.consul'.length;
const providerMax = 32;

export function serviceCommonName(id: Pick<ServiceId, 'service' | 'namespace' | 'trustDomain'>): string {
  let service = plain(id.service);
  let namespace = plain(id.namespace);
  // Each may use what the other leaves, and half when both are long.
  service = service.slice(0, Math.max(namesMax - namespace.length, Math.ceil(namesMax / 2)));
  namespace = namespace.slice(0, namesMax - service.length);
  return `${service}.svc.${namespace}.${shortTrustDomain(id.trustDomain)}.consul`;
}

export function agentCommonName(id: Pick<AgentId, 'node' | 'trustDomain'>): string {
  return `${plain(id.node).slice(0, namesMax)}.agnt.${shortTrustDomain(id.trustDomain)}.consul`;
}

/** `random` is eight bytes; they keep successive roots of one mesh apart by name. */
export function authorityCommonName(
  role: 'primary' | 'secondary',
  random: Uint8Array,
  provider: string,
  trustDomain: TrustDomain,
): string {
  const prefix = role === 'primary' ? 'pri' : 'sec';
  const name = plain(provider).slice(0, providerMax);
  return `${prefix}-${compactUid(random)}.${name}.ca.${shortTrustDomain(trustDomain)}.consul`;
}

/** Eight bytes as a little-endian int64 in base 36, cut to eight characters before the sign goes: seven or eight. */
export function compactUid(random: Uint8Array): string {
  assert(random.length === 8, 'a compact uid is made of eight bytes');
  let value = 0n;
  for (let i = 7; i >= 0; i--) value = (value << 8n) | BigInt(random[i]!);
  return BigInt.asIntN(64, value).toString(36).slice(0, 8).replace('-', '');
}

function plain(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]/g, '');
}
