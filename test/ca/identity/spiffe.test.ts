/** SPIFFE IDs: the forms of the mesh are read and printed back, everything else is an error and never a throw. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  agentId,
  formatSpiffe,
  parseSpiffe,
  sameSpiffe,
  serviceId,
  signingId,
} from '../../../src/ca/identity/spiffe.ts';
import { must, problem, trustDomain } from '../support.ts';

const accepted = [
  { uri: `spiffe://${trustDomain}/ns/default/dc/dc1/svc/web`, id: serviceId(trustDomain, 'dc1', 'web') },
  { uri: 'SPIFFE://x.consul/ns/a/dc/b/svc/c', id: serviceId('x.consul', 'b', 'c', 'a') },
  { uri: `spiffe://${trustDomain}/ns/default/dc/dc1/svc/a%2Fb`, id: serviceId(trustDomain, 'dc1', 'a/b') },
  { uri: `spiffe://${trustDomain}/agent/client/dc/dc1/id/mesh1`, id: agentId(trustDomain, 'dc1', 'mesh1') },
  { uri: 'spiffe://unknown/agent/client/dc/dc1/id/n', id: agentId('unknown', 'dc1', 'n') },
  { uri: `spiffe://${trustDomain}`, id: signingId(trustDomain) },
];

const refused = [
  ['another scheme', 'https://x.consul/ns/a/dc/b/svc/c', "SPIFFE ID must have 'spiffe' scheme"],
  ['nothing', '', "SPIFFE ID must have 'spiffe' scheme"],
  ['another path', 'spiffe://x.consul/foo', 'SPIFFE ID is not in the expected format: spiffe://x.consul/foo'],
  ['an empty part', 'spiffe://x.consul/ns//dc/b/svc/c', 'SPIFFE ID is not in the expected format'],
  ['more path', 'spiffe://x.consul/ns/a/dc/b/svc/c/d', 'SPIFFE ID is not in the expected format'],
  ['a slash at the end', 'spiffe://x.consul/', 'SPIFFE ID is not in the expected format'],
  ['a signing id without a dot', 'spiffe://unknown', 'SPIFFE ID is not in the expected format'],
  ['a port', 'spiffe://x.consul:80/ns/a/dc/b/svc/c', 'SPIFFE ID is not in the expected format'],
  ['a user', 'spiffe://u@x.consul/ns/a/dc/b/svc/c', 'SPIFFE ID is not in the expected format'],
  ['a query', 'spiffe://x.consul/ns/a/dc/b/svc/c?d', 'SPIFFE ID is not in the expected format'],
  ['a fragment', 'spiffe://x.consul/ns/a/dc/b/svc/c#d', 'SPIFFE ID is not in the expected format'],
  ['no trust domain', 'spiffe:///ns/a/dc/b/svc/c', 'SPIFFE ID is not in the expected format'],
  ['a broken escape', 'spiffe://x.consul/ns/a/dc/b/svc/%zz', 'SPIFFE ID is not in the expected format'],
  ['a hidden NUL', 'spiffe://x.consul/ns/a/dc/b/svc/a%00', 'SPIFFE ID is not in the expected format'],
  [
    '3,000 characters',
    `spiffe://x.consul/ns/a/dc/b/svc/${'c'.repeat(3000)}`,
    'SPIFFE ID is not in the expected format',
  ],
] as const;

describe('SPIFFE IDs', () => {
  it.each(accepted)('reads $uri', ({ uri, id }) => {
    expect(must(parseSpiffe(uri))).toEqual(id);
  });

  it.each(refused)('refuses %s', (_name, uri, text) => {
    expect(problem(parseSpiffe(uri)).message).toContain(text);
  });

  it('gives back every name it printed, whatever characters it has', () => {
    const name = fc
      .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
      .filter((text) => ![...text].some((char) => char < ' ' || char === '\x7f'));
    fc.assert(
      fc.property(name, name, name, (datacenter, service, namespace) => {
        const id = serviceId(trustDomain, datacenter, service, namespace);
        expect(must(parseSpiffe(formatSpiffe(id)))).toEqual(id);
        expect(must(parseSpiffe(formatSpiffe(agentId(trustDomain, datacenter, service))))).toMatchObject({
          node: service,
        });
      }),
    );
  });

  it('never throws, whatever the text', () => {
    const nearly = fc.tuple(
      fc.constantFrom(...accepted.map((entry) => entry.uri)),
      fc.nat(80),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          nearly.map(([uri, at, junk]) => uri.slice(0, at) + junk + uri.slice(at)),
        ),
        (text) => {
          const result = parseSpiffe(text);
          if (result.ok) expect(must(parseSpiffe(formatSpiffe(result.value)))).toEqual(result.value);
        },
      ),
    );
  });

  it('compares trust domains without case and names with it', () => {
    expect(sameSpiffe(serviceId('A.consul', 'dc1', 'web'), serviceId('a.CONSUL', 'dc1', 'web'))).toBe(true);
    expect(sameSpiffe(serviceId('a.consul', 'dc1', 'web'), serviceId('a.consul', 'dc1', 'Web'))).toBe(false);
    expect(sameSpiffe(serviceId('a.consul', 'dc1', 'web'), agentId('a.consul', 'dc1', 'web'))).toBe(false);
  });
});
