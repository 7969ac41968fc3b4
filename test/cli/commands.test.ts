/** What commands ask of an agent, and what they print and exit with for its answers. */
import { afterEach, expect, it } from 'vitest';
import { type Asked, type FakeAgent, fakeAgent, heddle, type Outcome, type Reply } from '../support/cli.ts';

let agent: FakeAgent | undefined;
afterEach(async () => {
  await agent?.close();
  agent = undefined;
});

async function ask(
  words: readonly string[],
  answer: (asked: Asked) => Reply | undefined,
  stdin = '',
): Promise<Outcome> {
  agent = await fakeAgent(answer);
  return heddle(words, { CONSUL_HTTP_ADDR: agent.address }, stdin);
}
const json = (value: unknown): Reply => ({ body: JSON.stringify(value) });
const pair = { LockIndex: 0, Key: 'app/one', Flags: 42, Value: 'Mw==', CreateIndex: 5, ModifyIndex: 28 };
const intention = (more: object): object => ({
  SourceNS: 'default',
  SourceName: 'web',
  DestinationNS: 'default',
  DestinationName: 'db',
  Precedence: 9,
  Action: 'deny',
  ...more,
});

it('prints a value and nothing else', async () => {
  expect(await ask(['kv', 'get', '/app/one'], () => json([pair]))).toEqual({ exit: 0, out: '3\n', err: '' });
  expect(agent?.asked[0]?.url).toBe('/v1/kv/app/one');
});

it('says that a key is missing, with exit code 1', async () => {
  expect(await ask(['kv', 'get', 'nope'], () => undefined)).toEqual({
    exit: 1,
    out: '',
    err: 'Error! No key exists at: nope\n',
  });
});

it('lays out the details of a key', async () => {
  const { out } = await ask(['kv', 'get', '-detailed', 'app/one'], () => json([pair]));
  expect(out).toBe(
    'CreateIndex      5\nFlags            42\nKey              app/one\nLockIndex        0\nModifyIndex      28\nSession          -\nValue            3\n',
  );
});

it('writes from standard input, and says when a check-and-set lost', async () => {
  expect(await ask(['kv', 'put', '-cas', '-modify-index=7', 'k', '-'], () => json(false), 'text')).toEqual({
    exit: 1,
    out: '',
    err: 'Error! Did not write to k: CAS failed\n',
  });
  expect(agent?.asked[0]).toMatchObject({ method: 'PUT', url: '/v1/kv/k?cas=7', body: 'text' });
});

it('refuses what is not base64 instead of writing an empty value', async () => {
  const { exit, err } = await ask(['kv', 'put', '-base64', 'k', 'not base64!'], () => json(true));
  expect([exit, err]).toEqual([1, 'Error! Cannot base 64 decode data: illegal base64 data at input byte 3\n']);
  expect(agent?.asked).toEqual([]);
});

it('creates an intention and says what it made', async () => {
  const { exit, out } = await ask(['intention', 'create', '-deny', 'web', '*'], () => json({ ID: 'x' }));
  expect([exit, out]).toEqual([0, 'Created: web => * (deny)\n']);
  expect(JSON.parse(agent!.asked[0]!.body)).toMatchObject({ SourceName: 'web', DestinationName: '*', Action: 'deny' });
});

it('gives the reason of the agent when an intention is refused', async () => {
  const { exit, err } = await ask(['intention', 'create', 'web', 'db'], () => ({
    status: 500,
    body: 'Sources[1] defines "web" more than once',
  }));
  expect([exit, err]).toEqual([
    1,
    'Error creating intention "web => db (allow)": Unexpected response code: 500 (Sources[1] defines "web" more than once)\n',
  ]);
});

it.each([
  [true, 'Allowed\n', 0],
  [false, 'Denied\n', 1],
])('answers a check with its exit code (%s)', async (Allowed, out, exit) => {
  expect(await ask(['intention', 'check', 'web', 'db'], () => json({ Allowed }))).toEqual({ exit, out, err: '' });
});

it('exits with 2 when the answer of a check is not known', async () => {
  expect(
    (await ask(['intention', 'check', 'web', 'db'], () => ({ status: 500, body: 'No cluster leader' }))).exit,
  ).toBe(2);
});

it('tables intentions in the order that the agent gives', async () => {
  const { out } = await ask(['intention', 'list'], () =>
    json([intention({ ID: 'abc' }), intention({ SourceName: '*', Precedence: 8 })]),
  );
  expect(out).toBe(
    'ID   Source  Action  Destination  Precedence\nabc  web     deny    db           9\n     *       deny    db           8\n',
  );
});

it('deletes by ID where there is one', async () => {
  await ask(['intention', 'delete', 'web', 'db'], ({ method }) =>
    method === 'GET' ? json(intention({ ID: 'abc' })) : json(true),
  );
  expect(agent!.asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'GET /v1/connect/intentions/exact?destination=db&source=web',
    'DELETE /v1/connect/intentions/abc',
  ]);
});

it('prints dates as RFC 850', async () => {
  const { out } = await ask(['intention', 'get', 'web', 'db'], () =>
    json(intention({ CreatedAt: '2026-11-23T06:55:10.5Z' })),
  );
  expect(out).toBe(
    'Source:       web\nDestination:  db\nAction:       deny\nCreated At:   Monday, 23-Nov-26 06:55:10 UTC\n',
  );
});

it('lists members, servers first, and exits with 2 when none is left to show', async () => {
  const list = [
    {
      Name: 'a1',
      Addr: '10.0.0.1',
      Port: 8301,
      Status: 1,
      Tags: { role: 'node', build: '1.10.10:x', vsn: '2', dc: 'dc1' },
    },
    {
      Name: 's1',
      Addr: '10.0.0.2',
      Port: 8301,
      Status: 4,
      Tags: { role: 'consul', build: '1.10.10:', vsn: '2', dc: 'dc1' },
    },
  ];
  const all = await ask(['members'], () => json(list));
  expect(all.out.split('\n').map((line) => line.split(/\s+/).slice(0, 4).join(' '))).toEqual([
    'Node Address Status Type',
    's1 10.0.0.2:8301 failed server',
    'a1 10.0.0.1:8301 alive client',
    '',
  ]);
  await agent!.close();
  expect((await ask(['members', '-status=left'], () => json(list))).exit).toBe(2);
});

it('reads a config entry in HCL and sends it as JSON', async () => {
  const hcl = 'Kind = "service-defaults" Name = "web" Protocol = "http"';
  expect(await ask(['config', 'write', '-'], () => json(true), hcl)).toMatchObject({
    exit: 0,
    out: 'Config entry written: service-defaults/web\n',
  });
  expect(JSON.parse(agent!.asked[0]!.body)).toEqual({ Kind: 'service-defaults', Name: 'web', Protocol: 'http' });
});

it('says where nobody listens, in the words of the field', async () => {
  const { exit, err } = await heddle(['members'], { HEDDLE_HTTP_ADDR: '127.0.0.1:1' });
  expect([exit, err]).toEqual([
    1,
    'Error retrieving members: Get "http://127.0.0.1:1/v1/agent/members?segment=_all": dial tcp 127.0.0.1:1: connect: connection refused\n',
  ]);
});

it('sends the token of a file rather than the one of the environment', async () => {
  agent = await fakeAgent(() => json([pair]));
  await heddle(['kv', 'get', '-token=t0k', 'a'], { CONSUL_HTTP_ADDR: agent.address, CONSUL_HTTP_TOKEN: 'other' });
  expect(agent.asked[0]?.headers['x-consul-token']).toBe('t0k');
});
