/** Builders for tests of this room: a small authority, and certificates with anything wrong that one likes. */
import type { KeyObject } from 'node:crypto';
import { serviceCommonName } from '../../src/ca/identity/common-name.ts';
import { formatSpiffe, serviceId, signingId } from '../../src/ca/identity/spiffe.ts';
import { generateKey, type KeySpec, leafKeySpec } from '../../src/ca/keys.ts';
import type { Certificate } from '../../src/ca/x509/certificate.ts';
import { buildCsr, parseCsr } from '../../src/ca/x509/csr.ts';
import { type Issuer, issued, issueLeaf, issueRoot } from '../../src/ca/x509/issue.ts';
import { assert } from '../../src/std/assert.ts';
import type { Result } from '../../src/std/result.ts';

export const clusterId = '017f3d96-d823-4521-729f-f3cba1775c04';
export const trustDomain = `${clusterId}.consul`;
export const now = Date.parse('2026-11-23T07:18:59Z');
export const hourMs = 3_600_000;

export function must<T, E>(result: Result<T, E>): T {
  if (!result.ok) throw result.error;
  return result.value;
}

export function problem<T, E>(result: Result<T, E>): E {
  assert(!result.ok, 'expected an error, got a value');
  return result.error;
}

let serial = 7n;
export const nextSerial = (): bigint => serial++;

export async function authority(
  spec: KeySpec = leafKeySpec,
  name = 'pri-test.consul.ca',
  nowMs = now,
): Promise<Issuer> {
  const key = await generateKey(spec);
  const uri = formatSpiffe(signingId(trustDomain));
  const der = issueRoot({ serial: nextSerial(), commonName: name, uri, nowMs }, key);
  return { certificate: issued(der), key };
}

export interface Leaf {
  readonly certificate: Certificate;
  readonly key: KeyObject;
}

export async function leaf(
  issuer: Issuer,
  service: string,
  options: { nowMs?: number; ttlMs?: number; uris?: string[] } = {},
): Promise<Leaf> {
  const key = await generateKey(leafKeySpec);
  const id = serviceId(trustDomain, 'dc1', service);
  const names = { uris: options.uris ?? [formatSpiffe(id)], dnsNames: [], ipAddresses: [] };
  const csr = must(parseCsr(buildCsr({ commonName: 'ignored', ...names }, key)));
  const { der } = issueLeaf(
    {
      serial: nextSerial(),
      commonName: serviceCommonName(id),
      names,
      nowMs: options.nowMs ?? now,
      ttlMs: options.ttlMs ?? 72 * hourMs,
    },
    csr,
    issuer,
  );
  return { certificate: issued(der), key };
}
