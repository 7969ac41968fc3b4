/**
 * Two rooms read SPIFFE URIs: the CA those in certificates, the records those in intentions (which may not depend on the CA).
 * Whatever the one takes for a service's URI the other does, with the same parts; else an intention could name a certificate
 * that it never meets.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatSpiffe, parseSpiffe, serviceId } from '../../src/ca/index.ts';
import { canonicalIntentionSource, parseIntentionSource } from '../../src/structs/index.ts';

const units = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 })
  .map((list) => String.fromCharCode(...list));
const part = fc.oneof(
  fc.string({ minLength: 1 }),
  units,
  fc.constantFrom('a%2Fb', 'x%', '%00', 'ü', 'A', '%zz', '..', '.'),
);
const anyUri = fc.oneof(
  fc
    .tuple(fc.constantFrom('td.consul', 'TD.consul', '', 'a b', 'x:1'), part, part, part)
    .map(([td, ns, dc, svc]) => `spiffe://${td}/ns/${ns}/dc/${dc}/svc/${svc}`),
  fc.string().map((text) => `spiffe://${text}`),
);

it('agree on what a service URI is, part by part', () => {
  fc.assert(
    fc.property(anyUri, (uri) => {
      const certificate = parseSpiffe(uri);
      const source = parseIntentionSource(uri);
      const isService = certificate.ok && certificate.value.kind === 'service';
      // Only a source may use the wildcard character, and not inside of a name: such a certificate cannot be named.
      if (
        isService &&
        [certificate.value.namespace, certificate.value.datacenter, certificate.value.service].some((p) =>
          p.includes('*'),
        )
      ) {
        return;
      }
      expect(source.ok && source.value.kind === 'uri').toBe(isService);
      if (!isService || !source.ok || source.value.kind !== 'uri') return;
      const { trustDomain, namespace, datacenter, service } = certificate.value;
      expect(source.value.uri).toEqual({ trustDomain: trustDomain.toLowerCase(), namespace, datacenter, service });
      expect(canonicalIntentionSource(uri)).toBe(
        formatSpiffe({ ...certificate.value, trustDomain: trustDomain.toLowerCase() }),
      );
    }),
    { numRuns: 3000 },
  );
});

it('what the CA writes into a certificate is a source in its canonical spelling', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (service) => {
      const uri = formatSpiffe(serviceId('td.consul', 'dc1', service));
      if (!parseSpiffe(uri).ok || service.includes('*')) return;
      expect(canonicalIntentionSource(uri)).toBe(uri);
    }),
  );
});
