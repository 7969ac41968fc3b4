/**
 * Precedence as a table, then the index against a naive reading of the rules: a list of all intentions in order, the first
 * that applies. Both are asked under random edits, so the index also proves that a change leaves no trace in other rows.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Client,
  clientNamed,
  DecisionIndex,
  indexIntentions,
  type Mesh,
  type RuleSource,
  reasonOf,
} from '../../../src/mesh/index.ts';
import { compareIntentionOrder, intentionPrecedence } from '../../../src/structs/intention-source.ts';

const mesh: Mesh = {
  trustDomain: 'ours.consul',
  datacenter: 'dc1',
  otherDatacenters: new Set(['dc2']),
  defaultPolicy: { allow: true, from: 'acl-disabled' },
};
const denying: Mesh = { ...mesh, defaultPolicy: { allow: false, from: 'acl-policy' } };

interface Rule {
  readonly from: string;
  readonly to: string;
  readonly action: 'allow' | 'deny' | 'l7';
}

function source(rule: Rule): RuleSource {
  return {
    Name: rule.from,
    Action: rule.action === 'l7' ? '' : rule.action,
    Permissions: rule.action === 'l7' ? [{}, {}] : null,
    Precedence: intentionPrecedence(rule.from, rule.to),
    LegacyID: '',
  };
}

function indexOf(rules: readonly Rule[]): DecisionIndex {
  const index = new DecisionIndex();
  for (const to of new Set(rules.map((rule) => rule.to))) {
    index.put({ Name: to, Sources: rules.filter((rule) => rule.to === to).map(source) });
  }
  return index;
}

const rule = (text: string): Rule => {
  const [action, from, to] = text.split(' ');
  return { action: action as Rule['action'], from: from!, to: to! };
};

const uri = (service: string, more: Partial<Client> = {}): Client => ({ ...clientNamed(service, mesh), ...more });
const webUri = 'spiffe://ours.consul/ns/default/dc/dc1/svc/web';

describe('which intention decides', () => {
  const web = clientNamed('web', mesh);
  const cases: readonly [string, readonly string[], Client, string, boolean, string][] = [
    ['nothing: the default', [], web, 'db', true, 'ACLs disabled, access is allowed by default'],
    [
      'exact to exact before all',
      ['deny * *', 'deny web *', 'deny * db', 'allow web db'],
      web,
      'db',
      true,
      'Matched L4 intention: default/web => default/db (Precedence: 9, Action: ALLOW)',
    ],
    [
      'wildcard to exact before exact to wildcard',
      ['allow web *', 'deny * db'],
      web,
      'db',
      false,
      'Matched L4 intention: default/* => default/db (Precedence: 8, Action: DENY)',
    ],
    [
      'exact to wildcard before wildcard to wildcard',
      ['deny * *', 'allow web *'],
      web,
      'db',
      true,
      'Matched L4 intention: default/web => default/* (Precedence: 6, Action: ALLOW)',
    ],
    [
      'wildcard to wildcard last',
      ['deny * *', 'allow api db'],
      web,
      'db',
      false,
      'Matched L4 intention: default/* => default/* (Precedence: 5, Action: DENY)',
    ],
    [
      'permissions refuse at layer 4',
      ['l7 web db', 'allow * db'],
      web,
      'db',
      false,
      'Matched L7 intention: default/web => default/db (Precedence: 9, Permissions: 2)',
    ],
    [
      'a destination has no letter case',
      ['deny web Db'],
      web,
      'dB',
      false,
      'Matched L4 intention: default/web => default/Db (Precedence: 9, Action: DENY)',
    ],
    ['a source has', ['deny Web db'], web, 'db', true, 'ACLs disabled, access is allowed by default'],
    [
      'a name means that service in every datacenter of the mesh',
      ['deny web db'],
      uri('web', { datacenter: 'dc2' }),
      'db',
      false,
      'Matched L4 intention: default/web => default/db (Precedence: 9, Action: DENY)',
    ],
    [
      'a URI goes before the name of the same service',
      ['deny web db', `allow ${webUri} db`],
      web,
      'db',
      true,
      `Matched L4 intention: ${webUri} => default/db (Precedence: 9, Action: ALLOW)`,
    ],
    [
      'and means one datacenter only',
      ['deny web db', `allow ${webUri} db`],
      uri('web', { datacenter: 'dc2' }),
      'db',
      false,
      'Matched L4 intention: default/web => default/db (Precedence: 9, Action: DENY)',
    ],
    [
      'a trust domain goes before everyone, after a name',
      ['deny * db', 'allow spiffe://ours.consul/* db', 'deny api db'],
      web,
      'db',
      true,
      'Matched L4 intention: spiffe://ours.consul/* => default/db (Precedence: 8, Action: ALLOW)',
    ],
    [
      'another trust domain is not meant by a name, nor by the default',
      ['allow web db'],
      uri('web', { trustDomain: 'theirs.consul' }),
      'db',
      false,
      'Client is of trust domain "theirs.consul", this mesh is "ours.consul", and no intention allows its URI',
    ],
    [
      'nor admitted by a wildcard',
      ['allow * db', 'allow * *'],
      uri('web', { trustDomain: 'theirs.consul' }),
      'db',
      false,
      'Client is of trust domain "theirs.consul", this mesh is "ours.consul", and no intention allows its URI',
    ],
    [
      'but refused by one',
      ['deny * db', 'allow spiffe://theirs.consul/* *'],
      uri('web', { trustDomain: 'theirs.consul' }),
      'db',
      false,
      'Matched L4 intention: default/* => default/db (Precedence: 8, Action: DENY)',
    ],
    [
      'and admitted by its own name',
      ['deny * db', 'allow spiffe://theirs.consul/* db'],
      uri('web', { trustDomain: 'theirs.consul' }),
      'db',
      true,
      'Matched L4 intention: spiffe://theirs.consul/* => default/db (Precedence: 8, Action: ALLOW)',
    ],
    [
      'an unknown datacenter is outside',
      ['allow web db'],
      uri('web', { datacenter: 'dc9' }),
      'db',
      false,
      'Client is of datacenter "dc9", which this mesh does not know, and no intention allows its URI',
    ],
    [
      'another namespace is outside',
      ['allow web db'],
      uri('web', { namespace: 'team' }),
      'db',
      false,
      'Client is of namespace "team", this mesh has only "default", and no intention allows its URI',
    ],
  ];
  it.each(cases)('%s', (_name, rules, client, destination, allowed, reason) => {
    const decision = indexOf(rules.map(rule)).decide(client, destination, mesh);
    expect(decision.allowed).toBe(allowed);
    expect(reasonOf(decision, client, mesh)).toBe(reason);
  });

  it('names the ID of a legacy intention', () => {
    const index = new DecisionIndex();
    index.put({ Name: 'db', Sources: [{ ...source(rule('deny web db')), LegacyID: 'some-id' }] });
    expect(reasonOf(index.decide(web, 'db', mesh), web, mesh)).toBe(
      'Matched L4 intention: default/web => default/db (ID: some-id, Precedence: 9, Action: DENY)',
    );
  });

  it('leaves the default to the ACL policy where there is one', () => {
    const decision = new DecisionIndex().decide(web, 'db', denying);
    expect([decision.allowed, reasonOf(decision, web, denying)]).toEqual([
      false,
      'Default behavior configured by ACLs',
    ]);
  });
});

const services = ['web', 'Web', 'api', 'db', 'a/b', 'ß'];
const trustDomains = ['ours.consul', 'theirs.consul'];
const anyService = fc.constantFrom(...services);
const anySource = fc.oneof(
  anyService,
  fc.constant('*'),
  fc.constantFrom(...trustDomains).map((td) => `spiffe://${td}/*`),
  fc
    .tuple(fc.constantFrom(...trustDomains), fc.constantFrom('dc1', 'dc2', 'dc9'), fc.constantFrom('web', 'api'))
    .map(([td, dc, service]) => `spiffe://${td}/ns/default/dc/${dc}/svc/${service}`),
  // Enough further names to push a row from its list into its map.
  fc.integer({ min: 0, max: 20 }).map((n) => `s${n}`),
);
const anyDestination = fc.constantFrom('db', 'api', '*');
const anyRule: fc.Arbitrary<Rule> = fc.record({
  from: anySource,
  to: anyDestination,
  action: fc.constantFrom('allow' as const, 'deny' as const, 'l7' as const),
});
const anyClient: fc.Arbitrary<Client> = fc.record({
  trustDomain: fc.constantFrom(...trustDomains),
  namespace: fc.constantFrom('default', 'default', 'other'),
  datacenter: fc.constantFrom('dc1', 'dc2', 'dc9'),
  service: fc.oneof(anyService, fc.constantFrom('s3', 's11')),
});

/** The rules read slowly: all intentions in order, the first that applies. */
function naive(
  rules: readonly Rule[],
  client: Client,
  destination: string,
  at: Mesh,
): { allowed: boolean; rule?: Rule } {
  const ours =
    client.trustDomain === 'ours.consul' &&
    client.namespace === 'default' &&
    ['dc1', 'dc2'].includes(client.datacenter);
  const ordered = rules
    .map((each) => ({
      each,
      SourceName: each.from,
      DestinationName: each.to,
      Precedence: intentionPrecedence(each.from, each.to),
    }))
    .sort(compareIntentionOrder);
  for (const { each } of ordered) {
    if (each.to !== '*' && each.to !== destination.toLowerCase()) continue;
    const applies =
      each.from ===
        `spiffe://${client.trustDomain}/ns/${client.namespace}/dc/${client.datacenter}/svc/${client.service}` ||
      each.from === `spiffe://${client.trustDomain}/*` ||
      (each.from === client.service && ours) ||
      (each.from === '*' && (ours || each.action === 'deny'));
    if (applies) return { allowed: each.action === 'allow', rule: each };
  }
  return { allowed: ours && at.defaultPolicy.allow };
}

describe('the index and the naive reading agree', () => {
  it('under any sequence of edits', () => {
    const edit = fc.record({ rule: anyRule, remove: fc.boolean() });
    const asked = fc.tuple(anyClient, fc.constantFrom('db', 'DB', 'api', 'other'));
    fc.assert(
      fc.property(
        fc.array(edit, { maxLength: 60 }),
        fc.array(asked, { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        (edits, questions, open) => {
          const at = open ? mesh : denying;
          const rules = new Map<string, Rule>();
          const index = new DecisionIndex();
          for (const { rule: each, remove } of edits) {
            const before = entryOf([...rules.values()], each.to);
            if (remove) rules.delete(`${each.from} ${each.to}`);
            else rules.set(`${each.from} ${each.to}`, each);
            index.apply({ before, after: entryOf([...rules.values()], each.to) });
          }
          const all = [...rules.values()];
          expect(index.size).toBe(new Set(all.map((each) => each.to)).size);
          for (const [client, destination] of questions) {
            const expected = naive(all, client, destination, at);
            const decision = index.decide(client, destination, at);
            expect(decision.allowed).toBe(expected.allowed);
            expect([decision.source?.Name, decision.destination]).toEqual([
              expected.rule?.from,
              expected.rule?.to ?? '',
            ]);
            const explained = index.explain(client, destination, at);
            expect(explained.Allowed).toBe(expected.allowed);
            expect(explained.Reason).toBe(reasonOf(decision, client, at));
            const decided = explained.Considered.filter((each) => each.Verdict === 'decided');
            expect(decided.map((each) => [each.SourceName, each.DestinationName])).toEqual(
              expected.rule === undefined ? [] : [[expected.rule.from, expected.rule.to]],
            );
            // A proxy is fed the printed list and must come to the same end.
            const fed = indexIntentions(
              all.map((each) => ({
                SourceName: each.from,
                DestinationName: each.to,
                ...(each.action === 'l7' ? { Permissions: [{}] } : { Action: each.action }),
              })),
            );
            expect(fed.decide(client, destination, at).allowed).toBe(expected.allowed);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

function entryOf(rules: readonly Rule[], to: string): { Name: string; Sources: RuleSource[] } | undefined {
  const sources = rules.filter((each) => each.to === to).map(source);
  return sources.length === 0 ? undefined : { Name: to, Sources: sources };
}
