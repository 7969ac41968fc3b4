/** The checks that every endpoint shares, one row each: what is sent, what comes back. Order matters and is tested. */
import net from 'node:net';
import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { badRequest, Encoded, HttpError, json, nothing, type Route, text } from '../../../src/api/http/index.ts';
import { rootRoutes } from '../../../src/api/http/routes/root.ts';
import { HeddleError } from '../../../src/std/errors.ts';
import { openDoor, type TestDoor } from '../../support/door.ts';

const big = Encoded.json({ text: 'x'.repeat(1400) });
const kept = Encoded.json({ text: 'é→𝄞' });
const raise = (error: Error) => () => {
  throw error;
};
const routes: Route[] = [
  ...rootRoutes(),
  { path: '/v1/exact', methods: ['GET', 'PUT'], handle: () => json({ '<': '&' }) },
  { path: '/v1/below/', methods: ['GET', 'PUT'], namespaced: true, handle: (r) => json(r.rest) },
  { path: '/v1/below/deeper/', methods: ['GET'], handle: (r) => json(`deeper ${r.rest}`) },
  { path: '/v1/echo', methods: ['PUT'], handle: async (r) => text(200, (await r.body()).toString()) },
  { path: '/v1/token', methods: ['GET'], handle: (r) => json(r.token) },
  {
    path: '/v1/header/',
    methods: ['GET'],
    handle: (r) => nothing(200, { 'X-Echo': r.rest === 'inject' ? 'a\r\nX-Evil: b' : r.rest }),
  },
  { path: '/v1/nothing', methods: ['PUT'], handle: () => nothing() },
  { path: '/v1/big', methods: ['GET'], handle: () => json(big) },
  { path: '/v1/kept', methods: ['GET'], handle: () => json(kept) },
  { path: '/v1/fail/late', methods: ['GET'], handle: async () => raise(new HttpError(404, 'not there'))() },
  { path: '/v1/query', methods: ['GET'], optionsAsJson: true, handle: () => json([]) },
  { path: '/v1/fail/http', methods: ['GET'], handle: raise(new HttpError(404, 'not here')) },
  { path: '/v1/fail/bad', methods: ['GET'], handle: raise(badRequest('no')) },
  { path: '/v1/fail/denied', methods: ['GET'], handle: raise(new HeddleError('acl', 'x: Permission denied')) },
  { path: '/v1/fail/rate', methods: ['GET'], handle: raise(new HeddleError('rate', 'RPC rate limit exceeded')) },
  { path: '/v1/fail/leader', methods: ['GET'], handle: raise(new HeddleError('no-leader', 'No cluster leader')) },
  { path: '/v1/fail/defect', methods: ['GET'], handle: raise(new TypeError('secret internals')) },
];

let door: TestDoor;
let strict: TestDoor;
beforeAll(async () => {
  door = await openDoor(routes);
  strict = await openDoor(routes, {
    defaultAclPolicy: 'deny',
    translateWanAddresses: true,
    responseHeaders: { 'x-extra': 'yes' },
    blockEndpoints: ['/v1/exact'],
    allowWriteFrom: ['10.0.0.0/8'],
  });
});
afterAll(async () => {
  await door.close();
  await strict.close();
});

describe('routing', () => {
  const rows: [method: string, path: string, status: number, body: string, headers: Record<string, string>][] = [
    ['GET', '/', 200, 'Consul Agent', { 'content-type': 'text/plain; charset=utf-8' }],
    ['GET', '/v1/nope', 404, '', {}],
    ['GET', '/v1/exact/', 404, '', {}],
    ['GET', '/v1/exact', 200, '{"\\u003c":"\\u0026"}', { 'content-type': 'application/json', vary: 'Accept-Encoding' }],
    ['GET', '/v1/kept', 200, '{"text":"é→𝄞"}', { 'content-length': '20' }],
    ['GET', '/v1/fail/late', 404, 'not there', {}],
    ['GET', '/v1/exact?pretty=false', 200, '{\n    "\\u003c": "\\u0026"\n}\n', {}],
    ['GET', '/v1/below/a/b%2Fc+d', 200, '"a/b/c+d"', {}],
    ['GET', '/v1/below/a%2520b', 200, '"a%20b"', {}],
    ['GET', '/v1/below/deeper/x', 200, '"deeper x"', {}],
    ['GET', '/v1/below', 301, '<a href="/v1/below/">Moved Permanently</a>.\n\n', { location: '/v1/below/' }],
    ['GET', '//v1/exact?a=1', 301, '<a href="/v1/exact?a=1">Moved Permanently</a>.\n\n', { location: '/v1/exact?a=1' }],
    ['PUT', '/v1/below/a/%2Fb', 301, '', { location: '/v1/below/a/b' }],
    ['GET', '/v1/x/../exact', 301, '<a href="/v1/exact">Moved Permanently</a>.\n\n', { location: '/v1/exact' }],
    ['GET', '/v1/below/%01', 400, '', {}],
    ['GET', '/v1/below/%zz', 400, '400 Bad Request', { connection: 'close' }],
    ['GET', '/v1/below/%ff', 400, '400 Bad Request', { connection: 'close' }],
    ['GET', '/v1/exact?a=%zz', 500, '', { 'x-consul-default-acl-policy': 'allow' }],
    ['POST', '/v1/exact', 405, 'method POST not allowed', { allow: 'OPTIONS,GET,PUT' }],
    ['HEAD', '/v1/exact', 405, '', { allow: 'OPTIONS,GET,PUT' }],
    ['OPTIONS', '/v1/exact', 200, '', { allow: 'OPTIONS,GET,PUT', 'content-length': '0' }],
    ['OPTIONS', '/v1/query', 200, '{}', { allow: 'OPTIONS,GET' }],
    ['PUT', '/v1/query', 405, 'method PUT not allowed', { allow: 'GET' }],
    ['PUT', '/v1/nothing', 200, '', { 'content-length': '0' }],
  ];
  it.each(rows)('%s %s -> %i', async (method, path, status, body, headers) => {
    const got = await door.call(method, path);
    expect({ status: got.status, body: got.text }).toEqual({ status, body });
    expect(got.headers).toMatchObject(headers);
  });

  it('answers nothing of the API outside of it', async () => {
    for (const path of ['/', '/v1/nope', '//v1/exact', '/v1/below/%01']) {
      const got = await door.call('GET', path);
      expect(Object.keys(got.headers).filter((name) => name.startsWith('x-consul'))).toEqual([]);
    }
  });
});

describe('restrictions', () => {
  const rows: [method: string, path: string, status: number, body: string][] = [
    ['GET', '/v1/exact', 403, 'Endpoint is blocked by agent configuration'],
    ['POST', '/v1/exact', 403, 'Endpoint is blocked by agent configuration'],
    ['PUT', '/v1/echo', 403, 'Access is restricted'],
    ['POST', '/v1/echo', 405, 'method POST not allowed'],
    ['OPTIONS', '/v1/echo', 200, ''],
    ['GET', '/v1/token', 200, '""'],
  ];
  it.each(rows)('%s %s -> %i', async (method, path, status, body) => {
    const got = await strict.call(method, path);
    expect({ status: got.status, body: got.text }).toEqual({ status, body });
    expect(got.headers).toMatchObject({
      'x-consul-default-acl-policy': 'deny',
      'x-consul-translate-addresses': 'true',
      'x-extra': 'yes',
    });
  });

  it('sets the configured headers on unknown paths, and nothing else', async () => {
    const got = await strict.call('GET', '/nope');
    expect(got.headers['x-extra']).toBe('yes');
    expect(got.headers['x-consul-default-acl-policy']).toBeUndefined();
  });

  it('refuses to start with a range it cannot read', async () => {
    await expect(openDoor(routes, { allowWriteFrom: ['10.0.0.0/40'] })).rejects.toThrow('is not a CIDR range');
  });
});

describe('namespaces are refused where objects would live in one', () => {
  it.each([
    [
      '/v1/below/x?ns=foo',
      {},
      'Bad request: Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature',
    ],
    [
      '/v1/below/x',
      { 'X-Consul-Namespace': 'a' },
      'Bad request: Invalid header: "X-Consul-Namespace" - Namespaces are a Consul Enterprise feature',
    ],
  ])('%s %o', async (path, headers, body) => {
    const got = await door.call('GET', path, { headers });
    expect({ status: got.status, body: got.text }).toEqual({ status: 400, body });
  });
  it('and ignored elsewhere', async () => {
    expect((await door.call('GET', '/v1/exact?ns=foo')).status).toBe(200);
  });
});

describe('errors', () => {
  it.each([
    ['http', 404, 'not here'],
    ['bad', 400, 'Bad request: no'],
    ['denied', 403, 'x: Permission denied'],
    ['rate', 429, ''],
    ['leader', 500, 'No cluster leader'],
  ])('%s -> %i', async (name, status, body) => {
    const got = await door.call('GET', `/v1/fail/${name}`);
    expect({ status: got.status, body: got.text }).toEqual({ status, body });
  });
  it('a defect is logged and its text kept from the client', async () => {
    const got = await door.call('GET', '/v1/fail/defect');
    expect({ status: got.status, body: got.text }).toEqual({ status: 500, body: 'internal error' });
    expect(door.errors.join()).toContain('secret internals');
  });
});

it('a body of any family has an end', async () => {
  const got = await door.call('PUT', '/v1/echo', { body: Buffer.alloc(64 * 1024 * 1024 + 1) });
  expect({ status: got.status, text: got.text }).toEqual({ status: 413, text: 'Request body too large' });
});

describe('tokens', () => {
  it.each([
    ['/v1/token', { 'X-Consul-Token': 'h' }, 'h'],
    ['/v1/token', { Authorization: 'Bearer b' }, 'b'],
    ['/v1/token', { Authorization: 'bearer  b more' }, 'b'],
    ['/v1/token', { Authorization: 'Basic b' }, ''],
    ['/v1/token', { 'X-Consul-Token': 'h', Authorization: 'Bearer b' }, 'h'],
    ['/v1/token?token=q', { 'X-Consul-Token': 'h' }, 'q'],
    ['/v1/token?token=', { 'X-Consul-Token': 'h' }, 'h'],
    ['/v1/token', {}, ''],
  ])('%s %o', async (path, headers, token) => {
    expect((await door.call('GET', path, { headers })).text).toBe(JSON.stringify(token));
  });
});

describe('compression', () => {
  it.each([
    ['gzip', 'gzip'],
    ['deflate, gzip;q=0.5', 'gzip'],
    ['gzip;q=0', undefined],
    ['identity', undefined],
  ])('Accept-Encoding: %s', async (accepted, encoding) => {
    const got = await door.call('GET', '/v1/big', { headers: { 'Accept-Encoding': accepted } });
    expect(got.headers['content-encoding']).toBe(encoding);
    const plain = encoding === undefined ? got.body : zlib.gunzipSync(got.body);
    expect(plain).toEqual(Buffer.from(big.bytes));
  });
  it('leaves small bodies alone', async () => {
    const got = await door.call('GET', '/v1/exact', { headers: { 'Accept-Encoding': 'gzip' } });
    expect(got.headers['content-encoding']).toBeUndefined();
  });
});

describe('connections', () => {
  it('a surplus connection gets 429 and is closed; a place that was given back can be taken', async () => {
    const limited = await openDoor(routes, {}, 1);
    const first = net.connect(limited.port, '127.0.0.1');
    await new Promise((resolve) => first.once('connect', resolve));
    await limitReached(limited.port);
    first.destroy();
    await new Promise((resolve) => first.once('close', resolve));
    await expect.poll(async () => (await limited.call('GET', '/v1/exact').catch(() => undefined))?.status).toBe(200);
    await limited.close();
  });

  it.each([
    ['HTTP/1.1 stays open, and nothing says so', 'GET /v1/token HTTP/1.1\r\nHost: x\r\n\r\n', undefined, true],
    [
      'unless the client wants it closed',
      'GET /v1/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'close',
      false,
    ],
    ['HTTP/1.0 ends', 'GET /v1/token HTTP/1.0\r\n\r\n', 'close', false],
    [
      'unless the client asks, and is told',
      'GET /v1/token HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
      'keep-alive',
      true,
    ],
  ])('%s', async (_name, request, connection, open) => {
    const socket = net.connect(door.port, '127.0.0.1');
    const answers: string[] = [];
    const answer = (): Promise<string> =>
      new Promise((resolve) => socket.once('data', (data) => resolve(data.toString('latin1'))));
    socket.write(request);
    answers.push(await answer());
    expect(/\r\nConnection: (.*)\r\n/i.exec(answers[0]!)?.[1]).toBe(connection);
    if (open) {
      socket.write(request);
      answers.push(await answer());
      expect(answers[1]).toMatch(/^HTTP\/1.1 200/);
      socket.destroy();
    } else {
      await new Promise((resolve) => socket.once('close', resolve));
    }
  });

  // Node's parser refuses them since its version 9 (Node 20.20); before, they reach the door, which reads them as UTF-8.
  it('raw bytes beyond ASCII are no request line, or UTF-8', async () => {
    const target = `/v1/exact?a=${Buffer.from('日').toString('latin1')}`;
    const line = `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    const refuses = Number.parseInt(process.versions.llhttp!, 10) >= 9;
    expect(await raw(door.port, Buffer.from(line, 'latin1'))).toMatch(
      refuses ? /^HTTP\/1.1 400 Bad Request\r\n/ : /^HTTP\/1.1 200 OK\r\n/,
    );
  });

  it('what a client sent ends no header', async () => {
    const echoed = await door.call('GET', '/v1/header/%E6%97%A5x');
    expect(echoed.headers['x-echo']).toBe('?x');
    expect((await door.call('GET', '/v1/header/inject')).headers['x-echo']).toBe('a??X-Evil: b');
  });

  it('what is no HTTP gets 400', async () => {
    expect(await raw(door.port, 'hello\r\n\r\n')).toMatch(
      /^HTTP\/1.1 400 Bad Request\r\n[\s\S]*\r\n\r\n400 Bad Request$/,
    );
  });
});

async function limitReached(port: number): Promise<void> {
  const answer = await raw(port, '');
  expect(answer).toMatch(/^HTTP\/1.1 429 Too Many Requests\r\n/);
  expect(answer).toMatch(/\r\nRetry-After: 1\r\n/);
  expect(answer).toMatch(/Your IP is issuing too many concurrent connections, please rate limit your calls\n$/);
}

function raw(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => void (bytes !== '' && socket.write(bytes)));
    let got = '';
    socket.on('data', (part) => {
      got += part.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(got));
  });
}
