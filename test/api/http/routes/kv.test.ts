/** Keys: one conversation in rows (what is sent, what comes back), then what each kind of read waits for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApi, type TestApi } from '../../../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi({ limits: { kvValueBytesMax: 1000, txnBytesMax: 1000 } });
  await api.put('/v1/catalog/register', { Node: 'n1', Address: '10.0.0.1' });
});
afterAll(async () => {
  expect(api.errors).toEqual([]);
  await api.close();
});

describe('one after the other', () => {
  const rows: [method: string, path: string, body: string | undefined, status: number, answer: string | RegExp][] = [
    ['GET', '/v1/kv/?keys', undefined, 200, '[]'],
    ['GET', '/v1/kv/?recurse', undefined, 404, ''],
    ['GET', '/v1/kv/', undefined, 400, 'Missing key name'],
    ['GET', '/v1/kv/a', undefined, 404, ''],
    ['PUT', '/v1/kv/a?flags=18446744073709551615', 'x', 200, 'true'],
    [
      'GET',
      '/v1/kv/a',
      undefined,
      200,
      /^\[\{"LockIndex":0,"Key":"a","Flags":18446744073709551615,"Value":"eA==","CreateIndex":\d+,"ModifyIndex":\d+\}\]$/,
    ],
    ['PUT', '/v1/kv/a?flags=-1', 'x', 500, 'strconv.ParseUint: parsing "-1": invalid syntax'],
    [
      'PUT',
      '/v1/kv/a?flags=18446744073709551616',
      'x',
      500,
      'strconv.ParseUint: parsing "18446744073709551616": value out of range',
    ],
    ['PUT', '/v1/kv/a?cas=0', 'y', 200, 'false'],
    ['PUT', '/v1/kv/a?cas=', 'y', 500, 'strconv.ParseUint: parsing "": invalid syntax'],
    ['PUT', '/v1/kv/a?cas=0&acquire=X', 'y', 400, 'Conflicting flags: acquire=X&cas=0'],
    ['PUT', '/v1/kv/a?acquire=', 'y', 500, 'raft apply failed: missing session'],
    [
      'PUT',
      '/v1/kv/a?acquire=00000000-0000-0000-0000-00000000dead',
      'y',
      500,
      'raft apply failed: invalid session "00000000-0000-0000-0000-00000000dead"',
    ],
    ['PUT', '/v1/kv/b/c%2Fd', '', 200, 'true'],
    ['PUT', '/v1/kv/b/e?cas=0', 'z', 200, 'true'],
    ['GET', '/v1/kv/b?keys', undefined, 200, '["b/c/d","b/e"]'],
    ['GET', '/v1/kv/b/?keys&separator=/', undefined, 200, '["b/c/","b/e"]'],
    ['GET', '/v1/kv/b/?keys&seperator=/', undefined, 200, '["b/c/","b/e"]'],
    ['GET', '/v1/kv/b/c/d', undefined, 200, /"Value":null/],
    ['GET', '/v1/kv/b/e?raw', undefined, 200, 'z'],
    ['GET', '/v1/kv/b/c/d?raw', undefined, 200, ''],
    ['GET', '/v1/kv/b?recurse=false', undefined, 200, /"b\/c\/d".*"b\/e"/],
    ['PUT', '/v1/kv/big', 'x'.repeat(1000), 200, 'true'],
    [
      'PUT',
      '/v1/kv/big',
      'x'.repeat(1001),
      413,
      'Request body(1001 bytes) too large, max size: 1000 bytes. See https://www.consul.io/docs/agent/options.html#kv_max_value_size.',
    ],
    ['PUT', '/v1/kv/', 'x', 400, 'Missing key name'],
    ['DELETE', '/v1/kv/a?cas=0', undefined, 200, 'false'],
    ['DELETE', '/v1/kv/a?cas=1&recurse', undefined, 400, 'Conflicting flags: cas=1&recurse='],
    ['DELETE', '/v1/kv/', undefined, 400, 'Missing key name'],
    ['DELETE', '/v1/kv/nothing', undefined, 200, 'true'],
    ['DELETE', '/v1/kv/b/?recurse', undefined, 200, 'true'],
    ['GET', '/v1/kv/?keys', undefined, 200, '["a","big"]'],
    ['GET', '/v1/kv/a?dc=dc9', undefined, 500, 'No path to datacenter'],
    ['GET', '/v1/kv/a?ns=x', undefined, 400, /^Bad request: Invalid query parameter: "ns"/],
  ];
  it.each(rows)('%s %s', async (method, path, body, status, answer) => {
    const got = await api.call(method, path, body === undefined ? {} : { body });
    expect(got.status).toBe(status);
    if (typeof answer === 'string') expect(got.text).toBe(answer);
    else expect(got.text).toMatch(answer);
  });
});

it('a chunked body is measured as well', async () => {
  const chunked = await api.call('PUT', '/v1/kv/big2', {
    body: 'x'.repeat(1001),
    headers: { 'Transfer-Encoding': 'chunked' },
  });
  expect(chunked.status).toBe(413);
  expect((await api.get('/v1/kv/big2')).status).toBe(404);
});

it('a raw value is marked so that no browser runs it', async () => {
  await api.put('/v1/kv/page', '<script>');
  const { headers } = await api.get('/v1/kv/page?raw');
  expect(headers).toMatchObject({
    'content-type': 'text/plain',
    'x-content-type-options': 'nosniff',
    'content-security-policy': 'sandbox',
  });
});

it('index and leader headers come with the answer, found or not', async () => {
  for (const path of ['/v1/kv/a', '/v1/kv/nope', '/v1/kv/?keys']) {
    const { headers } = await api.get(path);
    expect(headers).toMatchObject({ 'x-consul-knownleader': 'true', 'x-consul-lastcontact': '0' });
    expect(Number(headers['x-consul-index'])).toBeGreaterThan(0);
    expect(headers['x-consul-effective-consistency']).toBeUndefined();
  }
});

it('a lock is taken, held, released', async () => {
  const { ID } = JSON.parse((await api.put('/v1/session/create', { NodeChecks: [] })).text) as { ID: string };
  expect((await api.put(`/v1/kv/lock?acquire=${ID}`, 'mine')).text).toBe('true');
  const entry = JSON.parse((await api.get('/v1/kv/lock')).text)[0];
  expect(entry).toMatchObject({ LockIndex: 1, Session: ID });
  expect((await api.put(`/v1/kv/lock?release=${ID}`, 'free')).text).toBe('true');
  expect(JSON.parse((await api.get('/v1/kv/lock')).text)[0]).not.toHaveProperty('Session');
});

describe('blocking', () => {
  it('a read waits for its key, not for others', async () => {
    await api.put('/v1/kv/watched', '1');
    const index = (await api.get('/v1/kv/watched')).headers['x-consul-index'];
    let settled = false;
    const waiting = api.get(`/v1/kv/watched?index=${index}&wait=20s`).finally(() => {
      settled = true;
    });
    await expect.poll(() => api.backend.store.waiting).toBe(1);
    await api.put('/v1/kv/other', '1');
    expect(settled).toBe(false);
    await api.put('/v1/kv/watched', '2');
    expect((await waiting).text).toContain('"Mg=="');
  });

  it('ends with the unchanged value when its time is up', async () => {
    const before = await api.get('/v1/kv/watched');
    const after = await api.get(`/v1/kv/watched?index=${before.headers['x-consul-index']}&wait=10ms`);
    expect(after.text).toBe(before.text);
  });

  it('ends when the client hangs up', async () => {
    const index = (await api.get('/v1/kv/watched')).headers['x-consul-index'];
    const gone = new AbortController();
    const request = fetch(`${api.base}/v1/kv/watched?index=${index}&wait=20s`, { signal: gone.signal }).catch(
      () => null,
    );
    await expect.poll(() => api.backend.store.waiting).toBe(1);
    gone.abort();
    await request;
    await expect.poll(() => api.backend.store.waiting).toBe(0);
  });
});
