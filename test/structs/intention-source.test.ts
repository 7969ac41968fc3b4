/** The forms of a source: one spelling each, their rank and precedence, and an order in which URIs go before what they refine. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalIntentionSource,
  compareIntentionOrder,
  compareText,
  formatIntentionSource,
  intentionPrecedence,
  intentionSourceRank,
  parseIntentionSource,
} from '../../src/structs/intention-source.ts';

const web = 'spiffe://td.consul/ns/default/dc/dc1/svc/web';

describe('reading a source', () => {
  it.each([
    ['web', 'web'],
    ['Web', 'Web'],
    ['*', '*'],
    [web, web],
    ['SPIFFE://TD.Consul/ns/default/dc/dc1/svc/web', web],
    ['spiffe://td.consul/ns/default/dc/dc1/svc/%77eb', web],
    ['spiffe://td.consul/ns/default/dc/dc1/svc/Web', 'spiffe://td.consul/ns/default/dc/dc1/svc/Web'],
    ['spiffe://td.consul/ns/default/dc/dc1/svc/a%2Fb', 'spiffe://td.consul/ns/default/dc/dc1/svc/a%2Fb'],
    ['spiffe://td.consul', 'spiffe://td.consul/*'],
    ['spiffe://TD.consul/', 'spiffe://td.consul/*'],
    ['spiffe://td.consul/*', 'spiffe://td.consul/*'],
    // Not a URI of ours: left as it is, for validation to name.
    ['spiffe://td.consul/agent/client/dc/dc1/id/n1', 'spiffe://td.consul/agent/client/dc/dc1/id/n1'],
  ])('%s is kept as %s', (given, kept) => {
    expect(canonicalIntentionSource(given)).toBe(kept);
  });

  it.each([
    'spiffe://',
    'spiffe:///ns/default/dc/dc1/svc/web',
    'spiffe://td.consul:8500/ns/default/dc/dc1/svc/web',
    'spiffe://user@td.consul/*',
    'spiffe://td.consul/agent/client/dc/dc1/id/n1',
    'spiffe://td.consul/ns/default/dc/dc1/svc/',
    'spiffe://td.consul/ns/default/dc/dc1/svc/we*',
    'spiffe://td.consul/ns/*/dc/dc1/svc/web',
    'spiffe://td.consul/ns/default/dc/dc1/svc/web?x=1',
    'spiffe://td.consul/ns/default/dc/dc1/svc/%zz',
    'spiffe://td.consul/ns/default/dc/dc1/svc/a%00b',
    `spiffe://td.consul/ns/default/dc/dc1/svc/${'x'.repeat(2048)}`,
  ])('%s is refused', (given) => {
    expect(parseIntentionSource(given).ok).toBe(false);
  });

  it('never throws, and a canonical spelling is its own', () => {
    const uriLike = fc.string({ unit: 'binary' }).map((text) => `spiffe://${text}`);
    const units = fc
      .array(fc.integer({ min: 0, max: 0xffff }))
      .map((list) => `spiffe://td/ns/a/dc/b/svc/${String.fromCharCode(...list)}`);
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), uriLike, units), (name) => {
        const form = parseIntentionSource(name);
        const canonical = canonicalIntentionSource(name);
        expect(canonicalIntentionSource(canonical)).toBe(canonical);
        if (!form.ok) return;
        expect(formatIntentionSource(form.value)).toBe(canonical);
        const again = parseIntentionSource(canonical);
        expect(again).toEqual(form);
        const rank = { uri: 0, service: 1, 'trust-domain': 2, any: 3 }[form.value.kind];
        expect(intentionSourceRank(canonical)).toBe(rank);
      }),
    );
  });
});

it('precedence: the four numbers', () => {
  const table = [web, 'web', 'spiffe://td.consul/*', '*'].map((source) => [
    intentionPrecedence(source, 'db'),
    intentionPrecedence(source, '*'),
  ]);
  expect(table).toEqual([
    [9, 6],
    [9, 6],
    [8, 5],
    [8, 5],
  ]);
});

it('order: precedence, form, names bytewise', () => {
  const row = (SourceName: string, DestinationName: string) => ({
    SourceName,
    DestinationName,
    Precedence: intentionPrecedence(SourceName, DestinationName),
  });
  const ordered = [
    row(web, 'db'),
    row('Web', 'db'),
    row('api', 'db'),
    row('web', 'api'),
    row('web', 'db'),
    row('spiffe://td.consul/*', 'db'),
    row('*', 'api'),
    row('*', 'db'),
    row('web', '*'),
    row('spiffe://td.consul/*', '*'),
    row('*', '*'),
  ];
  const shuffled = [...ordered].reverse();
  expect(shuffled.sort(compareIntentionOrder)).toEqual(ordered);
});

it('texts order as their bytes do', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(Math.sign(compareText(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }),
  );
});
