/**
 * Whatever arrives, an answer leaves: no defect is logged, every refusal has a status and says why, and a refused request
 * leaves nothing half-written. Every route is asked with every method, any parameters and any body.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { backendRoutes } from '../../../src/api/http/index.ts';
import { openApi, type TestApi } from '../../support/api.ts';
import { noSnapshots, TestBackend } from '../../support/backend.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
  await api.put('/v1/catalog/register', {
    Node: 'n1',
    Address: '10.0.0.1',
    Service: { Service: 'web' },
    Check: { Node: 'n1', CheckID: 'c', Name: 'c', ServiceID: 'web', Status: 'passing' },
  });
});
afterAll(() => api.close());

const made = backendRoutes({ backend: new TestBackend(), snapshots: noSnapshots });
made.cache.close();
const paths = fc.constantFrom(...made.routes.map((route) => route.path));
const piece = fc.oneof(
  fc.constantFrom('n1', 'web', 'c', '%00', '%ff', '%zz', '%2F', '..', '~', 'é', ' ', '#', '?', '&', '=', ';', '+'),
  fc.string({ maxLength: 8 }).map(encodeURIComponent),
);
const suffix = fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join(''));
const parameter = fc.tuple(
  fc.constantFrom(
    'index',
    'wait',
    'dc',
    'filter',
    'near',
    'tag',
    'node-meta',
    'passing',
    'cached',
    'stale',
    'consistent',
    'max_stale',
    'pretty',
    'ns',
    'cas',
    'flags',
    'acquire',
    'release',
    'recurse',
    'keys',
    'separator',
    'raw',
    'segment',
    'id',
    'address',
  ),
  fc.oneof(
    suffix,
    fc
      .constantFrom('0', '1', '-1', '1ms', 'true', '99999999999999999999', 'dc1', 'Node == n1', '(', '_agent')
      .map(encodeURIComponent),
  ),
);
const query = fc.array(parameter, { maxLength: 4 }).map((list) => {
  // Without a bound a drawn index would make the test wait as long as the API allows.
  const blocks = list.some(([name]) => name === 'index') ? [...list, ['wait', '1ms']] : list;
  return blocks.map(([name, value]) => `${name}=${value}`).join('&');
});
const member = fc.constantFrom(
  'Node',
  'Address',
  'Service',
  'Check',
  'Checks',
  'ID',
  'Name',
  'KV',
  'Verb',
  'Key',
  'Value',
  'Flags',
  'Index',
  'Coord',
  'Vec',
  'TTL',
  'LockDelay',
  'Tags',
  'Meta',
  'Port',
  'Definition',
  'Status',
  'Weights',
  'Bogus',
  '__proto__',
);
const leaf = fc.oneof(
  fc.constantFrom('set', 'get', 'cas', 'delete', 'n1', 'web', '10s', 'eA=='),
  fc.jsonValue({ maxDepth: 1 }),
  fc.constantFrom(1e100, -1, 0.5, 2 ** 53),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(member, tie('value'), { maxKeys: 5 }),
  ),
}));
const body = fc.oneof(
  value.map((json) => JSON.stringify(json)),
  fc.string(),
  fc.constantFrom('', '{', '[', 'null', '[{"KV":{"Verb":"set","Key":"k"}}]', '{"Node":"n1","Address":"1.1.1.1"}'),
);

/** Everything that readers can see, by table. */
function visible(): unknown {
  const { view } = api.backend.store;
  return (['nodes', 'services', 'checks', 'kv', 'sessions', 'coordinates', 'configEntries'] as const).map((name) => [
    view.table(name).index(),
    [...view.table(name).range([])].length,
  ]);
}

it('any request gets an answer that says what is wrong, and a refused one changes nothing', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'OPTIONS'),
      paths,
      suffix,
      query,
      body,
      async (method, path, tail, search, text) => {
        const target = encodeSpaces(`${path}${path.endsWith('/') ? tail : ''}?${search}`);
        const before = visible();
        const got = await api.call(method, target, method === 'GET' || method === 'OPTIONS' ? {} : { body: text });
        expect(api.errors).toEqual([]);
        expect(got.status).toBeGreaterThanOrEqual(200);
        expect(got.status).toBeLessThan(600);
        if (got.status >= 300) expect(visible()).toEqual(before);
        const mayBeSilent = got.status < 400 || got.status === 404 || isUnreadable(got.status, got.text);
        if (!mayBeSilent) expect(got.text).not.toBe('');
        if (got.headers['content-type'] === 'application/json') JSON.parse(got.text);
      },
    ),
    { numRuns: 1500 },
  );
});

/** Two refusals have no text, as captured: an unprintable path and a query that cannot be decoded. */
const isUnreadable = (status: number, text: string): boolean => text === '' && (status === 400 || status === 500);
/** What no client could send in a request line. */
const encodeSpaces = (target: string): string => target.replace(/[^\x21-\x7e]/g, encodeURIComponent);
