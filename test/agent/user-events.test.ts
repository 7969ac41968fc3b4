/** User events over HTTP: fired, filtered by who they concern, listed, waited for; and what comes from strangers. */
import { Packr } from 'msgpackr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loopbackTransport, UserEvents } from '../../src/agent/user-events.ts';
import { eventRoutes, readDefaults } from '../../src/api/http/index.ts';
import { openDoor, type TestDoor } from '../support/door.ts';

const transport = loopbackTransport();
const events = new UserEvents({
  nodeName: 'n1',
  datacenter: 'dc1',
  transport,
  services: () => [{ ID: 'web1', Tags: ['v1'] }],
});
let door: TestDoor;
beforeAll(async () => {
  door = await openDoor(eventRoutes({ events, defaults: readDefaults }));
});
afterAll(async () => {
  expect(door.errors).toEqual([]);
  events.close();
  await door.close();
});

const names = async (): Promise<string[]> =>
  (JSON.parse((await door.call('GET', '/v1/event/list')).text) as { Name: string }[]).map((event) => event.Name);

it('an event comes back with its id and is listed with its time', async () => {
  const fired = await door.call('PUT', '/v1/event/fire/deploy', { body: 'payload' });
  const id = /"ID":"([^"]+)"/.exec(fired.text)![1];
  const rest = '"Name":"deploy","Payload":"cGF5bG9hZA==","NodeFilter":"","ServiceFilter":"","TagFilter":"","Version":1';
  expect(fired.text).toBe(`{"ID":"${id}",${rest},"LTime":0}`);
  const listed = await door.call('GET', '/v1/event/list?name=deploy');
  expect(listed.text).toBe(`[{"ID":"${id}",${rest},"LTime":2}]`);
  expect((await door.call('GET', '/v1/event/list?name=zzz')).headers['x-consul-index']).toBe('1');
});

describe('filters choose who keeps it', () => {
  it.each([
    ['node=n.', true],
    ['node=other', false],
    ['service=web', true],
    ['service=web&tag=v1', true],
    ['service=web&tag=v2', false],
    ['service=db', false],
  ])('%s', async (query, kept) => {
    const name = `f-${query.replace(/\W/g, '-')}`;
    expect((await door.call('PUT', `/v1/event/fire/${name}?${query}`)).status).toBe(200);
    expect((await names()).includes(name)).toBe(kept);
  });
});

describe('what is wrong', () => {
  it.each([
    ['/v1/event/fire/', '', 400, 'Missing name'],
    ['/v1/event/fire/x?node=(', '', 500, 'Invalid node filter: error parsing regexp: missing closing ): `(`'],
    ['/v1/event/fire/x?tag=a', '', 500, 'Cannot provide tag filter without service filter'],
    ['/v1/event/fire/x?dc=nowhere', '', 500, 'No path to datacenter'],
    [
      '/v1/event/fire/big',
      'x'.repeat(600),
      500,
      '1 error occurred:\n\t* error broadcasting event to segment "": user event exceeds configured limit of 512 bytes before encoding\n\n',
    ],
  ])('%s', async (path, body, status, text) => {
    const got = await door.call('PUT', path, { body });
    expect({ status: got.status, text: got.text }).toEqual({ status, text });
  });

  it('what strangers send is no event, and harms nothing', async () => {
    const before = await names();
    const codec = new Packr({ useRecords: false });
    for (const value of [null, 7, [], {}, { ID: 'x', n: 'y' }, { ID: '00000000-0000-0000-0000-000000000000' }]) {
      transport.send('consul:event:x', codec.pack(value));
    }
    transport.send('consul:event:x', new Uint8Array([0xc1, 0xff]));
    transport.send('consul:new-leader', new Uint8Array([1]));
    const bad = { ID: '00000000-0000-0000-0000-000000000000', n: 'bad', nf: '(', v: 1 };
    transport.send('consul:event:bad', codec.pack(bad));
    expect(await names()).toEqual(before);
  });
});

it('a list blocks while its index is the one given, and ends with a new event', async () => {
  const { headers } = await door.call('GET', '/v1/event/list?name=wake');
  const waiting = door.call('GET', `/v1/event/list?name=wake&index=${headers['x-consul-index']}&wait=20s`);
  await door.call('PUT', '/v1/event/fire/other');
  await door.call('PUT', '/v1/event/fire/wake');
  expect((await waiting).text).toContain('"Name":"wake"');
  const unchanged = await door.call('GET', '/v1/event/list?name=wake');
  const same = `/v1/event/list?name=wake&index=${unchanged.headers['x-consul-index']}&wait=10ms`;
  expect((await door.call('GET', same)).text).toBe(unchanged.text);
  expect((await door.call('GET', '/v1/event/list?index=12345&wait=20s')).status).toBe(200);
});

it('the last 256 are kept', async () => {
  for (let i = 0; i < 300; i++)
    await events.fire(
      { Name: `n${i}`, Payload: null, NodeFilter: '', ServiceFilter: '', TagFilter: '' },
      { token: '', address: '', call: '', datacenter: '' },
    );
  expect(await names()).toHaveLength(256);
  expect((await names())[0]).toBe('n44');
});
