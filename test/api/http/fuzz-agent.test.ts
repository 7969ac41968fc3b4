/**
 * The routes of an agent under anything that may arrive, on a whole agent: it answers, logs no defect, and still runs
 * afterwards. What would end the agent, stream without end, or dial the network is left out.
 */

import http from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Agent } from '../../../src/agent/index.ts';
import { exchange } from '../../support/door.ts';

let agent: Agent;
const log: string[] = [];
const connections = new http.Agent({ keepAlive: true });
beforeAll(async () => {
  agent = await Agent.start({
    anyPorts: true,
    dev: true,
    given: { node_name: 'n1' },
    output: (line) => log.push(line),
  });
});
afterAll(async () => {
  connections.destroy();
  await agent.stop();
});

const paths = [
  'self',
  'members',
  'services',
  'checks',
  'metrics',
  'maintenance',
  'service/',
  'service/register',
  'service/deregister/',
  'service/maintenance/',
  'check/register',
  'check/deregister/',
  'check/pass/',
  'check/warn/',
  'check/fail/',
  'check/update/',
  'health/service/id/',
  'health/service/name/',
  'connect/ca/roots',
  'connect/ca/leaf/',
  'connect/authorize',
  'token/',
  'force-leave/',
  'nothing',
];
const piece = fc.oneof(
  fc.constantFrom('web', 'c', '%00', '%25zz', '%ff', '%zz', '%2F', '..', 'é', ' ', '#', '?', '&', ';'),
  fc.string({ maxLength: 8 }).map(encodeURIComponent),
);
const suffix = fc.array(piece, { maxLength: 2 }).map((pieces) => pieces.join(''));
const query = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'filter',
        'enable',
        'reason',
        'note',
        'hash',
        'format',
        'wan',
        'segment',
        'ns',
        'pretty',
        'cached',
        'replace-existing-checks',
      ),
      fc.oneof(suffix, fc.constantFrom('true', '1', '(', 'text', 'prometheus')),
    ),
    { maxLength: 3 },
  )
  .map((list) => [...list, ['wait', '1ms']].map(([name, value]) => `${name}=${value}`).join('&'));

const member = fc.constantFrom(
  'ID',
  'Name',
  'Port',
  'Tags',
  'Meta',
  'Address',
  'Check',
  'Checks',
  'TTL',
  'Interval',
  'Timeout',
  'HTTP',
  'TCP',
  'AliasService',
  'Status',
  'Output',
  'Connect',
  'SidecarService',
  'Proxy',
  'Upstreams',
  'DestinationName',
  'LocalBindPort',
  'Weights',
  'Kind',
  'TaggedAddresses',
  'Target',
  'ClientCertURI',
  'Token',
  'connect',
  'sidecar_service',
  'proxy',
  'config',
  'Bogus',
  '__proto__',
);
const leaf = fc.oneof(
  // No script, and nothing that would dial: intervals are left to chance, and chance is long.
  fc.constantFrom(
    'web',
    'c',
    '10s',
    'passing',
    'connect-proxy',
    '127.0.0.1',
    80,
    1e100,
    -1,
    0.5,
    2 ** 53,
    true,
    null,
    '',
  ),
  fc.jsonValue({ maxDepth: 1 }),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(member, tie('value'), { maxKeys: 6 }),
  ),
}));
const body = fc.oneof(
  fc.dictionary(member, value, { maxKeys: 6 }).map((json) => JSON.stringify({ Name: 'web', ...json })),
  value.map((json) => JSON.stringify(json)),
  fc.string(),
  fc.constantFrom('', '{', 'null', '[]'),
);

it('an agent answers whatever it is asked, and goes on', { timeout: 180_000 }, async () => {
  const port = Number(new URL(agent.httpAddress).port);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'OPTIONS'),
      fc.constantFrom(...paths),
      suffix,
      query,
      body,
      async (method, path, tail, search, text) => {
        const target = `/v1/agent/${path}${path.endsWith('/') ? tail : ''}?${search}`.replace(
          /[^\x21-\x7e]/g,
          encodeURIComponent,
        );
        const got = await exchange(
          connections,
          port,
          method,
          target,
          method === 'GET' || method === 'OPTIONS' ? {} : { body: text },
        );
        expect(got.status).toBeGreaterThanOrEqual(200);
        expect(got.text).not.toBe('internal error');
        if (got.headers['content-type'] === 'application/json') JSON.parse(got.text);
      },
    ),
    { numRuns: 3000 },
  );
  expect(log.filter((line) => /http (request|answer) failed/.test(line))).toEqual([]);
  expect((await exchange(connections, port, 'GET', '/v1/status/leader')).status).toBe(200);
});
