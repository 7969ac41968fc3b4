// Many large writes at once through the real door, on a server whose log takes little at a time: refused ones say so for certain, and
// nothing acknowledged is missing.

import { afterEach, expect, it } from 'vitest';
import type { Server } from '../../../src/agent/server/index.ts';
import { backendRoutes } from '../../../src/api/http/index.ts';
import { noSnapshots } from '../../support/backend.ts';
import { openDoor } from '../../support/door.ts';
import { openServer } from './support.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(uncommittedBytesMax: number): Promise<{ server: Server; call: typeof door.call }> {
  const server = await openServer({ raftSettings: { uncommittedBytesMax } });
  closers.push(() => server.stop());
  const { routes, cache } = backendRoutes({ backend: server, snapshots: noSnapshots });
  closers.push(() => cache.close());
  const door = await openDoor(routes);
  closers.push(() => door.close());
  await server.untilLed();
  return { server, call: door.call.bind(door) };
}

const valueBytesMax = 512 * 1024;

it('refuses what is too much for now with 503 and Retry-After, holds no more than its bound, and keeps what it acknowledged', async () => {
  const boundBytes = 4 * valueBytesMax;
  const { server, call } = await open(boundBytes);
  let mostPending = 0;
  const watching = setInterval(() => {
    mostPending = Math.max(mostPending, server.raft.status().pendingProposals);
  }, 1);
  closers.push(() => clearInterval(watching));
  const keys = Array.from({ length: 60 }, (_, i) => `large/${i}`);
  const value = (key: string): string => key.padEnd(valueBytesMax, key);
  const answers = await Promise.all(keys.map((key) => call('PUT', `/v1/kv/${key}`, { body: value(key) })));
  clearInterval(watching);
  const acknowledged = keys.filter((_, i) => answers[i]!.status === 200);
  const refused = answers.filter(({ status }) => status === 503);
  expect(acknowledged.length + refused.length).toBe(keys.length);
  expect(acknowledged.length).toBeGreaterThan(0);
  expect(refused.length).toBeGreaterThan(0);
  for (const { headers } of refused) expect(headers['retry-after']).toBe('1');
  // A proposal is taken while less than the bound is open, so the bound is passed by one at most; envelopes are small.
  expect(mostPending).toBeLessThanOrEqual(5);
  for (const key of acknowledged) {
    const read = await call('GET', `/v1/kv/${key}?raw&consistent`);
    expect(read.status).toBe(200);
    expect(read.body.toString() === value(key)).toBe(true);
  }
  // What was refused was not written.
  const all = JSON.parse((await call('GET', '/v1/kv/large/?keys')).body.toString()) as string[];
  expect(all.sort()).toEqual([...acknowledged].sort());
});

it('takes a value of 512 KiB, and refuses one byte more with 413', async () => {
  const { call } = await open(64 * 1024 * 1024);
  expect((await call('PUT', '/v1/kv/a', { body: 'x'.repeat(valueBytesMax) })).status).toBe(200);
  expect((await call('PUT', '/v1/kv/b', { body: 'x'.repeat(valueBytesMax + 1) })).status).toBe(413);
});
