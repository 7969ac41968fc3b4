// Bodies that wait for their answers, from more clients than the door has room for: it holds no more than its bound, refuses the rest
// with 503 and Retry-After, and gives the room back.

import http from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { ConnectionLimit, Door, doorDefaults, nothing, type Route, serveHttp } from '../../../src/api/http/index.ts';
import { exchange } from '../../support/door.ts';

const bodyBytes = 512 * 1024;
const bodyBytesHeldMax = 8 * bodyBytes;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A door whose one route answers when `open` is called. */
async function gated() {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const route: Route = {
    path: '/v1/slow',
    methods: ['PUT'],
    handle: async (request) => {
      await request.body();
      await gate;
      return nothing(200);
    },
  };
  const log = { error: () => undefined, debug: () => undefined };
  const door = new Door([route], { ...doorDefaults, bodyBytesHeldMax }, log);
  const server = await serveHttp(door, new ConnectionLimit(0), { host: '127.0.0.1', port: 0 });
  const agent = new http.Agent({ keepAlive: true });
  closers.push(() => server.close());
  closers.push(() => agent.destroy());
  const put = (size: number) => exchange(agent, server.address.port, 'PUT', '/v1/slow', { body: Buffer.alloc(size) });
  return { door, put, open };
}

it('40 clients with 512 KiB each: 8 are held, 32 refused for certain, and then there is room again', async () => {
  const { door, put, open } = await gated();
  let refusals = 0;
  let allRefused = (): void => {};
  const refused = new Promise<void>((resolve) => {
    allRefused = resolve;
  });
  let mostHeld = 0;
  const asked = Array.from({ length: 40 }, async () => {
    const answer = await put(bodyBytes);
    mostHeld = Math.max(mostHeld, door.heldBodyBytes);
    if (answer.status === 503 && ++refusals === 32) allRefused();
    return answer;
  });
  // Bodies arrive together and in pieces: more than 32 may be refused, never fewer.
  await refused;
  open();
  const answers = await Promise.all(asked);
  expect(mostHeld).toBeLessThanOrEqual(bodyBytesHeldMax);
  const statuses = answers.map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200, 503]));
  for (const { status, headers } of answers) if (status === 503) expect(headers['retry-after']).toBe('1');
  expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(8);
  expect((await put(bodyBytes)).status).toBe(200);
  expect(door.heldBodyBytes).toBe(0);
});

it('small bodies are not counted, and pass while large ones are refused', async () => {
  const { door, put, open } = await gated();
  const small = put(1_000);
  open();
  expect((await small).status).toBe(200);
  expect((await put(bodyBytesHeldMax + 1)).status).toBe(503);
  expect((await put(1_000)).status).toBe(200);
  expect(door.heldBodyBytes).toBe(0);
});
