/** CommonNames and server names as existing certificates carry them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  agentCommonName,
  authorityCommonName,
  compactUid,
  serviceCommonName,
} from '../../../src/ca/identity/common-name.ts';
import { datacenterSni, querySni, serviceSni } from '../../../src/ca/identity/sni.ts';
import { sameTrustDomain, trustDomainOf } from '../../../src/ca/identity/trust-domain.ts';
import { trustDomain } from '../support.ts';

describe('CommonNames', () => {
  const cases = [
    ['leafy', 'default', 'leafy.svc.default.017f3d96.consul'],
    ['never-registered', 'default', 'neverregistered.svc.default.017f3d96.consul'],
    [
      'A-very.long_service-name-that-goes-on-and-on-and-on-0123456789',
      'default',
      'averylongservicenamethatgoesonandona.svc.default.017f3d96.consul',
    ],
    ['s'.repeat(60), 'n'.repeat(60), `${'s'.repeat(22)}.svc.${'n'.repeat(21)}.017f3d96.consul`],
    ['web', 'n'.repeat(60), `web.svc.${'n'.repeat(40)}.017f3d96.consul`],
  ] as const;
  it.each(cases)('service %s in %s', (service, namespace, expected) => {
    expect(serviceCommonName({ service, namespace, trustDomain })).toBe(expected);
  });

  it('of an agent and of the authority', () => {
    expect(agentCommonName({ node: 'Mesh-1.example', trustDomain })).toBe('mesh1example.agnt.017f3d96.consul');
    const name = authorityCommonName('primary', Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), 'consul', trustDomain);
    expect(name).toBe('pri-1.consul.ca.017f3d96.consul');
    expect(authorityCommonName('secondary', new Uint8Array(8), 'x'.repeat(50), trustDomain)).toHaveLength(57);
  });

  it('never exceed 64 characters and hold only what a host name may', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (service, namespace) => {
        const name = serviceCommonName({ service, namespace, trustDomain });
        expect(name.length).toBeLessThanOrEqual(64);
        expect(name).toMatch(/^[a-z0-9.]+$/);
      }),
    );
  });

  it('make the uid of eight bytes: seven or eight characters, no sign', () => {
    expect(compactUid(new Uint8Array(8).fill(0xff))).toBe('1');
    expect(compactUid(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80))).toBe('1y2p0ij');
    expect(compactUid(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f))).toBe('1y2p0ij3');
  });
});

describe('server names', () => {
  it('of services, subsets, datacenters and prepared queries', () => {
    expect(serviceSni({ service: 'db', datacenter: 'dc1' }, 'td.consul')).toBe('db.default.dc1.internal.td.consul');
    expect(serviceSni({ service: 'db', subset: 'v2', namespace: 'ns', datacenter: 'dc1' }, 'td.consul')).toBe(
      'v2.db.ns.dc1.internal.td.consul',
    );
    expect(datacenterSni('dc2', 'td.consul')).toBe('dc2.internal.td.consul');
    expect(querySni('near', 'dc1', 'td.consul')).toBe('near.default.dc1.query.td.consul');
  });
});

describe('trust domains', () => {
  it('are the cluster id, lower case, and compare without case', () => {
    expect(trustDomainOf('ABC-1')).toBe('abc-1.consul');
    expect(sameTrustDomain('ABC.consul', 'abc.Consul')).toBe(true);
    expect(sameTrustDomain('abc.consul', 'abcd.consul')).toBe(false);
  });
});
