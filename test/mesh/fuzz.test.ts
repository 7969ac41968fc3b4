/**
 * Bodies of any kind at every route that takes one. Whatever comes, the answer is one of those documented, nothing is a
 * defect, and what was accepted can be read back by every view.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { backendRoutes } from '../../src/api/http/routes/index.ts';
import { noSnapshots, TestBackend } from '../support/backend.ts';
import { openDoor, type TestDoor } from '../support/door.ts';

let door: TestDoor;
let closeCache: () => void;
beforeAll(async () => {
  const { routes, cache } = backendRoutes({ backend: new TestBackend('n1'), snapshots: noSnapshots });
  door = await openDoor(routes);
  closeCache = () => cache.close();
});
afterAll(async () => {
  closeCache();
  await door.close();
});

const names = fc.constantFrom(
  'web',
  'db',
  '*',
  'we*',
  '',
  'a/b',
  'spiffe://td',
  'spiffe://td/ns/a/dc/b/svc/c',
  'x'.repeat(600),
);
const values = fc.oneof(
  names,
  fc.string({ unit: 'binary' }),
  fc.constantFrom('allow', 'deny', 'consul', null, true, 1, 1.5, 1e300, -1),
  fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
  fc.constant([{ Action: 'allow', HTTP: { PathExact: '/' } }]),
  fc.jsonValue(),
);
const keys = fc.constantFrom(
  ...'ID Description SourceNS SourceName DestinationNS DestinationName SourceType Action Permissions Meta Precedence'.split(
    ' ',
  ),
  ...'Kind Name Sources Protocol Config UpstreamConfig Target ClientCertURI ClientCertSerial Hash CreatedAt Bogus'.split(
    ' ',
  ),
);
const bodies = fc.oneof(
  fc.dictionary(keys, values, { maxKeys: 7 }).map((value) => JSON.stringify(value)),
  fc
    .record({ Kind: fc.constantFrom('service-intentions', 'service-defaults', 'proxy-defaults', 'mesh'), Name: names })
    .chain((head) => fc.dictionary(keys, values, { maxKeys: 4 }).map((rest) => JSON.stringify({ ...rest, ...head }))),
  fc.json(),
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 60 }),
);
const targets = fc.oneof(
  fc.constant(['POST', '/v1/connect/intentions'] as const),
  fc.constant(['PUT', '/v1/connect/intentions/11111111-2222-3333-4444-555555555555'] as const),
  fc.tuple(names, names).map(([source, destination]) => {
    const query = `source=${encodeURIComponent(source)}&destination=${encodeURIComponent(destination)}`;
    return ['PUT', `/v1/connect/intentions/exact?${query}`] as const;
  }),
  fc.constant(['PUT', '/v1/config'] as const),
  fc.constant(['POST', '/v1/agent/connect/authorize'] as const),
);

it('any body gets a documented answer and breaks nothing', async () => {
  await fc.assert(
    fc.asyncProperty(targets, bodies, async ([method, path], body) => {
      const answer = await door.call(method, path, { body });
      expect([200, 400, 500]).toContain(answer.status);
      if (answer.status !== 200) {
        expect(answer.text).not.toBe('');
        expect(answer.text).not.toBe('internal error');
        expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
      }
      expect(door.errors).toEqual([]);
    }),
    { numRuns: 1500 },
  );
  for (const path of ['/v1/connect/intentions', '/v1/config/', '/v1/connect/intentions/match?by=source&name=*']) {
    const answer = await door.call('GET', path);
    expect(answer.status, answer.text).toBe(200);
    JSON.parse(answer.text);
  }
});

it('any query gets a documented answer', async () => {
  const parameters = fc.constantFrom(
    'source',
    'destination',
    'by',
    'name',
    'filter',
    'source-type',
    'explain',
    'index',
    'cas',
    'ns',
  );
  const queries = fc
    .array(
      fc.tuple(parameters, fc.oneof(names, fc.constantFrom('source', 'destination', 'consul', '1'), fc.string())),
      {
        maxLength: 5,
      },
    )
    .map((pairs) => pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&'))
    // A far index would wait for it.
    .filter((query) => !/index=\d/.test(query));
  const paths = fc.constantFrom('', '/match', '/check', '/exact', '/nope').map((end) => `/v1/connect/intentions${end}`);
  await fc.assert(
    fc.asyncProperty(paths, queries, async (path, query) => {
      const answer = await door.call('GET', `${path}?${query}`);
      expect([200, 400, 404, 500]).toContain(answer.status);
      expect(answer.text).not.toBe('internal error');
      expect(door.errors).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});
