/**
 * Filters: a table of what each expression keeps of three instances, a table of what is wrong with each broken one, and
 * properties (never a throw, `not` is the opposite, time does not explode).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFilter, unfilterable } from '../../../src/api/filter/index.ts';
import {
  type CatalogService,
  type CheckServiceNode,
  catalogService,
  checkServiceNode,
  decode,
  node,
} from '../../../src/structs/index.ts';

const read = (input: unknown): CatalogService => {
  const result = decode(catalogService, input, { naming: 'api', unknown: 'refuse' });
  if (!result.ok) throw new Error(result.error);
  return result.value;
};

const rows: CatalogService[] = [
  read({
    Node: 'ext1',
    TaggedAddresses: { wan: '198.18.2.1' },
    NodeMeta: { rack: 'r2' },
    ServiceID: 'db1',
    ServiceName: 'db',
    ServicePort: 5432,
    ServiceTags: ['primary', 'v1'],
    ServiceMeta: { v: '9', 'external-source': 'k8s' },
    ServiceTaggedAddresses: { wan: { Address: '1.2.3.4', Port: 15432 } },
    ServiceWeights: { Passing: 1, Warning: 1 },
    ServiceProxy: { Upstreams: [{ DestinationName: 'cache' }, { DestinationName: 'queue' }] },
  }),
  read({ Node: 'ext1', ServiceID: 'db2', ServiceName: 'db', ServicePort: 5433, ServiceTags: ['replica'] }),
];

const kept = (filter: string): string[] => {
  const compiled = compileFilter(catalogService, filter);
  if (!compiled.ok) throw new Error(compiled.error.text);
  return rows.filter(compiled.value).map((row) => row.ServiceID);
};

describe('what is kept', () => {
  it.each<[filter: string, ids: string[]]>(
    [
      ['', ['db1', 'db2']],
      ['ServiceID == db1', ['db1']],
      ['ServiceID=="db1"', ['db1']],
      ['ServiceID == `db1`', ['db1']],
      ['ServiceID == "\\x64b\\u0031"', ['db1']],
      ['ServiceID != db1', ['db2']],
      ['ServiceID == db2 or ServiceID == db1 and ServicePort == 1', ['db2']],
      ['not ServiceID == db1', ['db2']],
      ['not not ServiceID == db1', ['db1']],
      ['not ServiceID == db1 and ServicePort == 5433', ['db2']],
      ['\t( ServiceID == db1 or ServiceID == db2)\n and (ServicePort == 5433) ', ['db2']],
      ['primary in ServiceTags', ['db1']],
      ['"primary" not in ServiceTags', ['db2']],
      ['ServiceTags contains primary', ['db1']],
      ['ServiceTags not contains primary', ['db2']],
      ['"d" in ServiceName', ['db1', 'db2']],
      ['rima in ServiceName', []],
      ['v in ServiceMeta', ['db1']],
      ['ServiceMeta contains "external-source"', ['db1']],
      ['ServiceMeta is empty', ['db2']],
      ['ServiceMeta is not empty', ['db1']],
      ['ServiceID matches "^db[1]$"', ['db1']],
      ['ServiceID not matches `1$`', ['db2']],
      ['ServiceMeta.v == 9', ['db1']],
      ['ServiceMeta["external-source"] == k8s', ['db1']],
      ['ServiceMeta[ `external-source` ] == k8s', ['db1']],
      ['ServiceMeta.zz == 1', []],
      ['ServiceMeta.zz != 1', ['db1', 'db2']],
      ['ServiceMeta.zz matches "1"', ['db1', 'db2']],
      ['ServiceMeta.zz not matches "1"', ['db1', 'db2']],
      ['a in ServiceMeta.zz', []],
      ['a not in ServiceMeta.zz', ['db1', 'db2']],
      ['ServiceTaggedAddresses.wan.Port == 15432', ['db1']],
      ['ServiceTaggedAddresses.lan.Port == 1', []],
      ['TaggedAddresses.wan == "198.18.2.1"', ['db1']],
      ['ServiceProxy.Mode == ""', ['db1', 'db2']],
      ['ServiceConnect.Native == false', ['db1', 'db2']],
      ['ServiceWeights.Passing == 1', ['db1']],
      ['ServiceEnableTagOverride == f', ['db1', 'db2']],
      ['ServicePort == "0x1538"', ['db1']],
      ['ServicePort == "012470"', ['db1']],
      ['ServicePort == "5_432"', ['db1']],
      ['ServicePort != -1', ['db1', 'db2']],
      ['ServiceName == a.b', []],
      ['ServiceProxy.Upstreams.DestinationName == queue', ['db1']],
      ['ServiceProxy.Upstreams.DestinationName != queue', ['db1']],
      ['ServiceProxy.Upstreams is empty', ['db2']],
    ].slice(0, -1) as [string, string[]][],
  )('%s', (filter, ids) => {
    expect(kept(filter)).toEqual(ids);
  });

  it('a key that every object inherits is not in a map', () => {
    expect(kept('ServiceMeta.constructor == x or constructor in ServiceMeta')).toEqual([]);
  });

  it('of lists of records, any element may satisfy; an empty list satisfies nothing', () => {
    const instance = (statuses: string[]): CheckServiceNode => {
      const input = { Checks: statuses.map((Status) => ({ Status })) };
      const result = decode(checkServiceNode, input, { naming: 'api', unknown: 'refuse' });
      if (!result.ok) throw new Error(result.error);
      return result.value;
    };
    const compiled = compileFilter(checkServiceNode, 'Checks.Status != passing');
    const verdicts = [[], ['passing'], ['critical'], ['passing', 'critical']].map(
      (statuses) => compiled.ok && compiled.value(instance(statuses)),
    );
    expect(verdicts).toEqual([false, false, true, true]);
  });

  it('indexes are excluded unless the caller allows them', () => {
    expect(compileFilter(node, 'CreateIndex == 5').ok).toBe(false);
    expect(compileFilter(node, 'CreateIndex == 5', new Set()).ok).toBe(true);
    expect(unfilterable.has('Definition')).toBe(true);
  });
});

describe('what is wrong', () => {
  const syntax: [filter: string, text: string][] = [
    [' ', '1:2 (1): no match found, expected: "(", "-", "0", "\\"", "`", "not", [ \\t\\r\\n], [1-9] or [a-zA-Z]'],
    ['ServiceID', '1:10 (9): no match found, expected: "!=", ".", "==", "[", [ \\t\\r\\n] or [a-zA-Z0-9_]'],
    ['ServiceID ==', '1:13 (12): no match found, expected: "-", "0", "\\"", "`", [ \\t\\r\\n], [1-9] or [a-zA-Z]'],
    ['ServiceID == db1 AND ServicePort == 1', '1:18 (17): no match found, expected: "and", "or", [ \\t\\r\\n] or EOF'],
    ['ServiceID == db1 x', '1:18 (17): no match found, expected: "and", "or", [ \\t\\r\\n] or EOF'],
    ['ServiceID == "db1', '1:18 (17): rule "string": Unterminated string literal'],
    ['(ServiceID == db1', '1:18 (17): rule "grouping": Unmatched parentheses'],
    ['ServiceID == db1)', '1:17 (16): no match found, expected: ".", "[", [ \\t\\r\\n], [a-zA-Z0-9_] or EOF'],
    ['ServicePort == 5432x', '1:20 (19): rule "number": Invalid number literal'],
    [
      '.ServiceID == db1',
      '1:1 (0): no match found, expected: "(", "-", "0", "\\"", "`", "not", [ \\t\\r\\n], [1-9] or [a-zA-Z]',
    ],
    ['ServiceMeta[v] == 9', '1:13 (12): rule "index": Invalid index'],
    ['ServiceMeta["v" == 9', '1:17 (16): rule "index": Unclosed index expression'],
    [
      "ServiceID == 'db1'",
      '1:14 (13): no match found, expected: "-", "0", "\\"", "`", [ \\t\\r\\n], [1-9] or [a-zA-Z]',
    ],
    ['ServiceID == db-1', '1:16 (15): no match found, expected: ".", "[", [ \\t\\r\\n], [a-zA-Z0-9_] or EOF'],
    [
      'ServiceID =~ "x"',
      '1:11 (10): no match found, expected: "!=", "==", "contains", "in", "is", "matches", "not" or [ \\t\\r\\n]',
    ],
    [
      'ServiceID == "é" and\n  ?',
      '2:3 (24): no match found, expected: "(", "-", "0", "\\"", "`", "not", [ \\t\\r\\n], [1-9] or [a-zA-Z]',
    ],
    ['ServiceID == "\\q"', '1:14 (13): rule "string": invalid syntax'],
  ];
  it.each(syntax)('%j', (filter, text) => {
    expect(compileFilter(catalogService, filter)).toEqual({ ok: false, error: { kind: 'syntax', text } });
  });

  it.each([
    ['Nope == 1', 'Selector "Nope" is not valid'],
    ['ServiceID.x == 1', 'Selector "ServiceID.x" is not valid'],
    ['ServiceTags.x == 1', 'Selector "ServiceTags.x" is not valid'],
    ['serviceid == 1', 'Selector "serviceid" is not valid'],
    ['CreateIndex == 5', 'Selector "CreateIndex" is not valid'],
    ['ServiceProxy.Config is empty', 'Selector "ServiceProxy.Config" is not valid'],
    ['ServiceProxy == 1', 'Invalid match operator "Equal" for selector "ServiceProxy"'],
    ['ServiceAddress is empty', 'Invalid match operator "Is Empty" for selector "ServiceAddress"'],
    ['ServiceMeta.zz is empty', 'Invalid match operator "Is Empty" for selector "ServiceMeta.zz"'],
    ['ServicePort matches "54"', 'Invalid match operator "Matches" for selector "ServicePort"'],
    ['1 in ServicePort', 'Invalid match operator "In" for selector "ServicePort"'],
    [
      'ServicePort == abc',
      'Failed to coerce value "abc" for selector "ServicePort": strconv.ParseInt: parsing "abc": invalid syntax',
    ],
    [
      'ServicePort == 9223372036854775808',
      'Failed to coerce value "9223372036854775808" for selector "ServicePort": strconv.ParseInt: parsing "9223372036854775808": value out of range',
    ],
    [
      'ServiceEnableTagOverride == maybe',
      'Failed to coerce value "maybe" for selector "ServiceEnableTagOverride": strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    ['ServiceID matches "("', 'Failed to compile regular expression "(": error parsing regexp: missing closing ): `(`'],
  ])('%s', (filter, text) => {
    expect(compileFilter(catalogService, filter)).toEqual({ ok: false, error: { kind: 'meaning', text } });
  });
});

describe('properties', () => {
  const leaf = fc.constantFrom(
    'ServiceID == db1',
    'ServicePort != 5432',
    'primary in ServiceTags',
    'ServiceMeta.v == 9',
    'ServiceMeta.zz != 9',
  );
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { depthSize: 'small' },
      leaf,
      tie('expression').map((inner) => `not (${inner})`),
      tie('expression').map((inner) => `(${inner})`),
      fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(${a}) and (${b})`),
      fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(${a}) or (${b})`),
    ),
  }));

  it('every expression of the grammar is read, and `not` keeps exactly the others', () => {
    fc.assert(
      fc.property(expression, (filter) => {
        const others = kept(`not (${filter})`);
        expect([...kept(filter), ...others].sort()).toEqual(['db1', 'db2']);
      }),
    );
  });

  it('De Morgan holds', () => {
    fc.assert(
      fc.property(expression, expression, (a, b) => {
        expect(kept(`not ((${a}) and (${b}))`)).toEqual(kept(`(not (${a})) or (not (${b}))`));
      }),
    );
  });

  it('no text makes it throw', () => {
    const word = fc.constantFrom(
      ...'ServiceID ServiceMeta not in and or is empty matches contains == != ( ) [ ] " ` . - 0 9 \n é \\ '.split(' '),
      ' ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((words) => words.join('')),
        ),
        (filter) => {
          const compiled = compileFilter(catalogService, filter);
          if (compiled.ok) for (const row of rows) compiled.value(row);
          else expect(compiled.error.text).not.toBe('');
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('takes time in proportion to the text, and refuses what is nested without end', () => {
    const many = Array.from({ length: 20_000 }, () => 'ServiceID == db1').join(' or ');
    expect(kept(many)).toEqual(['db1']);
    for (const opening of ['(', 'not ']) {
      const compiled = compileFilter(catalogService, opening.repeat(100_000));
      expect(compiled.ok).toBe(false);
    }
    expect(kept(`${'('.repeat(900)}ServiceID == db1${')'.repeat(900)}`)).toEqual(['db1']);
  });
});
