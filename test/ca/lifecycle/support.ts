/** An authority in memory: what a server would keep, with time and chance in the test's hand. */
import { createHash } from 'node:crypto';
import {
  buildCsr,
  type CaChange,
  type CaState,
  formatSpiffe,
  generateKey,
  initialise,
  leafKeySpec,
  serviceId,
} from '../../../src/ca/index.ts';
import type { AuthorityContext } from '../../../src/ca/lifecycle/roots.ts';
import { clusterId, must, now, trustDomain } from '../support.ts';

export const sealKey = createHash('sha256').update('a seal key for tests').digest();

/** Serials from 7; "random" bytes that differ at each draw. */
export function context(options: { nowMs?: number; sealKey?: Uint8Array | null } = {}): AuthorityContext {
  let serial = 7n;
  let draws = 0;
  return {
    nowMs: options.nowMs ?? now,
    sealKey: options.sealKey ?? null,
    nextSerial: async () => serial++,
    randomBytes: (size) => createHash('sha512').update(`draw ${draws++}`).digest().subarray(0, size),
  };
}

export const stateOf = (change: CaChange): CaState => change;

export async function freshState(config: Record<string, unknown> = {}, ctx = context()): Promise<CaState> {
  return stateOf(must(await initialise(clusterId, { Provider: 'consul', Config: config }, ctx)));
}

export async function csrFor(
  uris: readonly string[] = [formatSpiffe(serviceId(trustDomain, 'dc1', 'web'))],
): Promise<string> {
  return buildCsr({ commonName: 'ignored', uris, dnsNames: [], ipAddresses: [] }, await generateKey(leafKeySpec));
}
