/** Sessions with their tolerant body, transactions, and what the operator asks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApi, type TestApi } from '../../../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi({ limits: { kvValueBytesMax: 100, txnBytesMax: 2000 } });
  await api.put('/v1/catalog/register', {
    Node: 'n1',
    ID: '11111111-1111-1111-1111-111111111111',
    Address: '10.0.0.1',
    Checks: [
      { Node: 'n1', CheckID: 'serfHealth', Name: 'serf', Status: 'passing' },
      { Node: 'n1', CheckID: 'extra', Name: 'extra', Status: 'warning' },
      { Node: 'n1', CheckID: 'crit', Name: 'crit', Status: 'critical' },
    ],
  });
});
afterAll(async () => {
  expect(api.errors).toEqual([]);
  await api.close();
});

const create = async (body?: unknown): Promise<Record<string, unknown>> => {
  const created = await api.put('/v1/session/create', body);
  expect(created.text).toMatch(/^\{"ID":"[0-9a-f-]{36}"\}$/);
  const { ID } = JSON.parse(created.text) as { ID: string };
  return JSON.parse((await api.get(`/v1/session/info/${ID}`)).text)[0];
};

describe('a session is made', () => {
  const seconds = 1_000_000_000;
  it.each<[body: unknown, fields: Record<string, unknown>]>([
    [
      undefined,
      {
        Node: 'n1',
        LockDelay: 15 * seconds,
        Behavior: 'release',
        TTL: '',
        NodeChecks: ['serfHealth'],
        ServiceChecks: null,
      },
    ],
    [{ Unknown: 1, lockdelay: 15 }, { LockDelay: 15 * seconds }],
    [{ LockDelay: '500ns' }, { LockDelay: 500 * seconds }],
    [{ LockDelay: -5 }, { LockDelay: -5 * seconds }],
    [{ LockDelay: 1000 }, { LockDelay: 1000 }],
    [{ LockDelay: '0s' }, { LockDelay: 0 }],
    [
      { TTL: '10s', Name: 'n', Behavior: 'delete' },
      { TTL: '10s', Name: 'n', Behavior: 'delete' },
    ],
    [{ Checks: [] }, { NodeChecks: [] }],
    [{ Checks: ['serfHealth'] }, { NodeChecks: ['serfHealth'] }],
    [{ Checks: ['extra'] }, { Checks: ['extra'], NodeChecks: ['serfHealth'] }],
    [{ Checks: ['extra'], NodeChecks: [] }, { NodeChecks: [] }],
  ])('%j', async (body, fields) => {
    const session = await create(body);
    expect(session).toMatchObject(fields);
    if (!('Checks' in fields)) expect(session).not.toHaveProperty('Checks');
  });
});

describe('or refused', () => {
  it.each([
    [{ LockDelay: 'soon' }, 400, 'Request decode failed: time: invalid duration "soon"'],
    [{ TTL: 7 }, 400, 'Request decode failed: json: cannot unmarshal number into Go struct field .TTL of type string'],
    [{ TTL: '5s' }, 500, "Invalid Session TTL '5000000000', must be between [10s=24h0m0s]"],
    [{ TTL: 'abc' }, 500, `Session TTL 'abc' invalid: time: invalid duration "abc"`],
    [{ Behavior: 'explode' }, 500, "Invalid Behavior setting 'explode'"],
    [{ Node: 'nope' }, 500, 'apply failed: Missing node registration'],
    [{ NodeChecks: ['ghost'] }, 500, "apply failed: Missing check 'ghost' registration"],
    [{ NodeChecks: ['crit'] }, 500, "apply failed: Check 'crit' is in critical state"],
    ['{"a', 400, 'Request decode failed: unexpected EOF'],
  ])('%j', async (body, status, text) => {
    const got = await api.put('/v1/session/create', body);
    expect({ status: got.status, text: got.text }).toEqual({ status, text });
  });

  const notAUuid = 'failed session lookup: index error: UUID must be 36 characters';
  it.each([
    ['GET', '/v1/session/info/', 400, 'Missing session'],
    ['GET', '/v1/session/info/x', 500, notAUuid],
    ['GET', '/v1/session/node/', 400, 'Missing node name'],
    ['GET', '/v1/session/node/nope', 200, '[]'],
    ['GET', '/v1/session/info/00000000-0000-0000-0000-00000000dead', 200, '[]'],
    ['PUT', '/v1/session/destroy/x', 500, `apply failed: ${notAUuid}`],
    ['PUT', '/v1/session/destroy/00000000-0000-0000-0000-00000000dead', 200, 'true'],
    [
      'PUT',
      '/v1/session/renew/00000000-0000-0000-0000-00000000dead',
      404,
      "Session id '00000000-0000-0000-0000-00000000dead' not found",
    ],
    ['PUT', '/v1/session/renew/x', 500, notAUuid],
  ])('%s %s', async (method, path, status, text) => {
    const got = await api.call(method, path);
    expect({ status: got.status, text: got.text }).toEqual({ status, text });
  });
});

it('a session is listed, renewed, and gone after its end', async () => {
  const { ID } = await create({ Name: 'mine' });
  const ids = async (path: string) => (JSON.parse((await api.get(path)).text) as { ID: string }[]).map((row) => row.ID);
  expect(await ids('/v1/session/list')).toContain(ID);
  expect(await ids('/v1/session/node/N1')).toContain(ID);
  expect(JSON.parse((await api.put(`/v1/session/renew/${ID}`)).text)[0].ID).toBe(ID);
  expect((await api.put(`/v1/session/destroy/${ID}`)).text).toBe('true');
  expect(await ids('/v1/session/list')).not.toContain(ID);
});

const kv = (Verb: string, Key: string, more: Record<string, unknown> = {}) => ({ KV: { Verb, Key, ...more } });
const reading = '"Index":1,"LastContact":0,"KnownLeader":true,"ConsistencyLevel":"","NotModified":false,"Backend":0';

describe('transactions', () => {
  it.each<[name: string, body: unknown, status: number, text: string | RegExp]>([
    ['nothing', [], 200, `{"Results":[],"Errors":null,${reading}}`],
    ['an element of nothing', [{}], 200, `{"Results":[],"Errors":null,${reading}}`],
    [
      'a write',
      [kv('set', 't1', { Value: 'eA==', Flags: 3 })],
      200,
      /^\{"Results":\[\{"KV":\{"LockIndex":0,"Key":"t1","Flags":3,"Value":null,[^}]*\}\}\],"Errors":null\}$/,
    ],
    ['a read', [kv('get', 't1')], 200, /"Value":"eA==".*"Backend":0\}$/],
    [
      'all failures',
      [kv('get', 'no1'), kv('get', 't1'), kv('get', 'no2')],
      409,
      `{"Results":null,"Errors":[{"OpIndex":0,"What":"key \\"no1\\" doesn't exist"},{"OpIndex":2,"What":"key \\"no2\\" doesn't exist"}],${reading}}`,
    ],
    ['no JSON', '[', 400, 'Failed to parse body: unexpected EOF'],
    ['no list', {}, 400, 'Failed to parse body: json: cannot unmarshal object into Go value of type api.TxnOps'],
    ['an unknown family', [{ Session: {} }], 400, 'Failed to parse body: json: unknown field "Session"'],
    ['bad base64', [kv('set', 'a', { Value: '*' })], 400, 'Failed to parse body: illegal base64 data at input byte 0'],
    ['too many', Array.from({ length: 129 }, () => ({})), 413, 'Transaction contains too many operations (129 > 128)'],
    [
      'a value too large',
      [kv('set', 'k', { Value: Buffer.alloc(101).toString('base64') })],
      413,
      'Value for key "k" is too large (101 > 100 bytes)',
    ],
    [
      'a body too large',
      `[${' '.repeat(2000)}]`,
      413,
      'Request body(2002 bytes) too large, max size: 2000 bytes. See https://www.consul.io/docs/agent/options.html#txn_max_req_len.',
    ],
    [
      'a node by its id',
      [{ Node: { Verb: 'get', Node: { ID: '11111111-1111-1111-1111-111111111111' } } }],
      200,
      /"Node":"n1"/,
    ],
    [
      'a service',
      [{ Service: { Verb: 'set', Node: 'n1', Service: { Service: 'api' } } }],
      200,
      /"Tags":null,.*"Proxy":\{"Mode":"","MeshGateway":\{\},"Expose":\{\}\},"Connect":\{\}/,
    ],
    ['a check', [{ Check: { Verb: 'get', Check: { Node: 'n1', CheckID: 'extra' } } }], 200, /"ServiceTags":null/],
  ])('%s', async (_, body, status, text) => {
    const got = await api.put('/v1/txn', body);
    expect(got.status).toBe(status);
    if (typeof text === 'string') expect(got.text).toBe(text);
    else expect(got.text).toMatch(text);
    expect(got.headers['x-consul-index']).toBeUndefined();
  });

  it('nothing is applied when one fails', async () => {
    const got = await api.put('/v1/txn', [kv('set', 'half', { Value: 'eA==' }), kv('cas', 't1', { Index: 1 })]);
    expect(got.text).toBe(
      '{"Results":null,"Errors":[{"OpIndex":1,"What":"failed to set key \\"t1\\", index is stale"}]}',
    );
    expect((await api.get('/v1/kv/half')).status).toBe(404);
  });
});

describe('operator', () => {
  it.each([
    ['GET', '/v1/status/leader', undefined, 200, '"127.0.0.1:8300"'],
    ['GET', '/v1/status/peers', undefined, 200, '["127.0.0.1:8300"]'],
    ['GET', '/v1/status/leader?dc=x', undefined, 500, 'No path to datacenter'],
    [
      'DELETE',
      '/v1/operator/raft/peer',
      undefined,
      400,
      "Bad request: Must specify either ?id with the server's ID or ?address with IP:port of peer to remove",
    ],
    [
      'DELETE',
      '/v1/operator/raft/peer?id=a&address=b',
      undefined,
      400,
      'Bad request: Must specify only one of ?id or ?address',
    ],
    ['DELETE', '/v1/operator/raft/peer?id=ghost', undefined, 500, 'id "ghost" was not found in the Raft configuration'],
    ['GET', '/v1/operator/autopilot/configuration', undefined, 500, 'autopilot config not initialized yet'],
    [
      'PUT',
      '/v1/operator/autopilot/configuration?cas=x',
      '{}',
      400,
      'Bad request: Error parsing cas value: strconv.ParseUint: parsing "x": invalid syntax',
    ],
    [
      'PUT',
      '/v1/operator/autopilot/configuration',
      '{"LastContactThreshold":"x"}',
      400,
      'Bad request: Error parsing autopilot config: time: invalid duration "x"',
    ],
    [
      'PUT',
      '/v1/operator/autopilot/configuration',
      '{"MaxTrailingLogs":7,"LastContactThreshold":1000000000}',
      200,
      'true',
    ],
    ['PUT', '/v1/operator/autopilot/configuration?cas=1', '{}', 200, 'false'],
    ['PUT', '/v1/snapshot?stale', '', 500, 'stale not allowed for restore'],
    ['PUT', '/v1/snapshot', 'x', 200, ''],
  ])('%s %s %s', async (method, path, body, status, text) => {
    const got = await api.call(method, path, body === undefined ? {} : { body });
    expect({ status: got.status, text: got.text }).toEqual({ status, text });
  });

  it('autopilot shows what was stored, members left out as zero', async () => {
    const { text } = await api.get('/v1/operator/autopilot/configuration');
    expect(JSON.parse(text)).toMatchObject({
      MaxTrailingLogs: 7,
      LastContactThreshold: '1s',
      CleanupDeadServers: false,
    });
  });

  it('an unhealthy cluster is a 429 with the same body', async () => {
    api.backend.answers['operator.autopilotHealth'] = { Healthy: false, FailureTolerance: 0, Servers: null };
    const got = await api.get('/v1/operator/autopilot/health');
    expect({ status: got.status, text: got.text }).toEqual({
      status: 429,
      text: '{"Healthy":false,"FailureTolerance":0,"Servers":null}',
    });
  });

  it('a snapshot is streamed with the index it holds', async () => {
    const got = await api.get('/v1/snapshot', { 'Accept-Encoding': 'gzip' });
    expect(got.headers).toMatchObject({
      'content-type': 'application/x-gzip',
      'x-consul-index': '7',
      'transfer-encoding': 'chunked',
    });
    expect(got.headers['content-encoding']).toBeUndefined();
    expect([...got.body]).toEqual([31, 139]);
  });
});
