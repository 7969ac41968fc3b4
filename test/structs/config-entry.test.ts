/**
 * Config entries: reading, normalising, refusing. The captures are the judge where they are there: each PUT of a kind we
 * have, as far as it can be decided without looking at other entries. Then fuzz: no input throws, and what is stored reads
 * back as itself.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  configEntryFault,
  configEntrySchemas,
  decodeConfigEntry,
  encodeConfigEntry,
  normalizeConfigEntry,
} from '../../src/structs/index.ts';
import { reference } from '../support/shared.ts';

interface Capture {
  readonly id: string;
  readonly request: { readonly method: string; readonly path: string; readonly body: string };
  readonly response: { readonly status: number; readonly body: string };
}

const golden = reference('golden/mesh');

function captures(): Capture[] {
  if (golden === null) return [];
  return readdirSync(golden)
    .filter((file) => /^(open|extra)-.*\.json$/.test(file))
    .sort()
    .map((file) => JSON.parse(readFileSync(join(golden, file), 'utf8')) as Capture);
}

/** What a server would answer before it looks at its state. */
function answer(body: unknown): string {
  const decoded = decodeConfigEntry(body);
  if (!decoded.ok) return `400 Bad request: Request decoding failed: ${decoded.error}`;
  const fault = configEntryFault(normalizeConfigEntry(decoded.value));
  return fault === null ? '200 true' : `500 ${fault}`;
}

/** Lists of errors have no fixed order in the captures. */
function sorted(text: string): string {
  return text.split('\n').sort().join('\n');
}

describe.skipIf(golden === null)('captured writes', () => {
  const needsState = /incompatible with L7|discovery chain|does not match/;
  const writes = captures().filter(({ request, response }) => {
    if (request.method !== 'PUT' || !request.path.startsWith('/v1/config')) return false;
    if (request.path.includes('cas=') || needsState.test(response.body)) return false;
    try {
      const { Kind, kind = Kind } = JSON.parse(request.body) as { Kind?: unknown; kind?: unknown };
      return (
        kind === undefined || typeof kind !== 'string' || kind === 'weird' || Object.hasOwn(configEntrySchemas, kind)
      );
    } catch {
      return false; // broken JSON is the door's business
    }
  });

  it('are there', () => expect(writes.length).toBeGreaterThan(50));

  it.each(writes.map((each) => [each.id, each] as const))('%s', (_id, { request, response }) => {
    expect(sorted(answer(JSON.parse(request.body)))).toBe(sorted(`${response.status} ${response.body}`));
  });
});

describe('reading', () => {
  it('takes either spelling of a key, the plain one first', () => {
    const decoded = decodeConfigEntry({
      kind: 'service-defaults',
      name: 'a',
      mesh_gateway: { mode: 'local' },
      MeshGateway: { Mode: 'remote' },
    });
    expect(decoded.ok && decoded.value.Kind === 'service-defaults' && decoded.value.MeshGateway.Mode).toBe('remote');
  });

  it('keeps a limit of zero apart from none', () => {
    const limits = { MaxConnections: 0 };
    const decoded = decodeConfigEntry({
      Kind: 'service-defaults',
      Name: 'a',
      UpstreamConfig: { Defaults: { Limits: limits } },
    });
    expect(decoded.ok && encodeConfigEntry(decoded.value)).toContain('"Limits":{"MaxConnections":0}');
  });

  it('names a duration that is none, and a type that cannot be', () => {
    const upstream = (defaults: unknown) => ({
      Kind: 'service-defaults',
      Name: 'a',
      UpstreamConfig: { Defaults: defaults },
    });
    const soon = decodeConfigEntry(upstream({ PassiveHealthCheck: { Interval: 'soon' } }));
    expect(soon.ok ? '' : soon.error).toMatch(
      /^1 error\(s\) decoding:\n\n\* error decoding '.*Interval': time: invalid duration "soon"$/,
    );
    const list = decodeConfigEntry({ Kind: 'service-defaults', Name: { a: 1 } });
    expect(list.ok ? '' : list.error).toContain("'Name' expected type 'string', got unconvertible type");
  });

  it('refuses names too long to be stored', () => {
    const long = 'x'.repeat(513);
    expect(answer({ Kind: 'service-intentions', Name: long, Sources: [{ Name: 'a', Action: 'allow' }] })).toBe(
      '500 Name exceeds maximum length 512',
    );
    expect(answer({ Kind: 'service-intentions', Name: 'a', Sources: [{ Name: long, Action: 'allow' }] })).toBe(
      '500 Sources[0].Name exceeds maximum length 512',
    );
  });

  it('takes URI sources, in one spelling, and says what is wrong with others', () => {
    const entry = (name: string) => ({
      Kind: 'service-intentions',
      Name: 'db',
      Sources: [{ Name: name, Action: 'allow' }],
    });
    const decoded = decodeConfigEntry(entry('SPIFFE://Partner.example'));
    const stored = decoded.ok ? normalizeConfigEntry(decoded.value) : undefined;
    expect(
      stored?.Kind === 'service-intentions' && stored.Sources?.map((each) => [each.Name, each.Precedence]),
    ).toEqual([['spiffe://partner.example/*', 8]]);
    expect(answer(entry('spiffe://partner.example/other'))).toBe(
      '500 Sources[0].Name: "spiffe://partner.example/other" is neither a service\'s URI (spiffe://<trust domain>/ns/<namespace>/dc/<datacenter>/svc/<service>) nor a trust domain (spiffe://<trust domain>/*)',
    );
    expect(
      answer({
        Kind: 'service-intentions',
        Name: 'db',
        Sources: [
          { Name: 'spiffe://td', Action: 'allow' },
          { Name: 'spiffe://td/*', Action: 'deny' },
        ],
      }),
    ).toBe('500 Sources[1] defines "spiffe://td/*" more than once');
  });
});

describe('any input', () => {
  const kinds = fc.constantFrom('service-intentions', 'service-defaults', 'proxy-defaults');
  const keys = fc.constantFrom(
    ...'Name name Sources sources Action Permissions HTTP Header Methods PathExact path_exact Meta Description Type'.split(
      ' ',
    ),
    ...'Protocol UpstreamConfig upstream_config Overrides Defaults Limits max_connections Interval Config Bogus'.split(
      ' ',
    ),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom('allow', 'deny', '*', 'a', '/x', 'GET', 'spiffe://td', '-1s', '5', ''),
      fc.oneof(fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.string(), fc.bigInt()),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(keys, fc.string()), tie('tree'), { maxKeys: 6 }),
    ),
  }));

  it('is read or refused, never thrown at, and what is stored reads back as itself', () => {
    fc.assert(
      fc.property(kinds, fc.dictionary(keys, tree, { maxKeys: 6 }), (Kind, fields) => {
        const decoded = decodeConfigEntry({ ...fields, Kind });
        if (!decoded.ok) {
          expect(decoded.error).not.toBe('');
          return;
        }
        const stored = normalizeConfigEntry(decoded.value);
        expect(normalizeConfigEntry(stored)).toEqual(stored);
        if (configEntryFault(stored) !== null) return;
        const again = decodeConfigEntry(JSON.parse(encodeConfigEntry(stored)));
        expect(again.ok && encodeConfigEntry(normalizeConfigEntry(again.value))).toBe(encodeConfigEntry(stored));
      }),
      { numRuns: 2000 },
    );
  });

  it('of any shape', () => {
    fc.assert(
      fc.property(fc.anything(), (input) => void decodeConfigEntry(input)),
      { numRuns: 1000 },
    );
  });
});
