/** A replay that sees nothing would pass for a good one: a server that answers everything alike must fail it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { reference } from '../support/shared.ts';
import { replay } from './replay.ts';

async function withOneAnswer<T>(work: (base: string) => Promise<T>): Promise<T> {
  const server = createServer((_, response) => response.end('[{}]'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const captured = it.skipIf(reference('golden/discovery') === null);

captured('a server of another kind differs', { timeout: 60_000 }, async () => {
  const judged = await withOneAnswer((base) => replay('discovery', 'readonly', base));
  const { exchanges, unexpected, outdated } = judged;
  expect(unexpected.length).toBe(exchanges);
  expect(unexpected[0]!.detail).toMatch(/^DIFF readonly-001-ro-get GET \/v1\/status\/peers\n/);
  expect(outdated).toEqual([]);
});

captured('a listed difference that is none is told', { timeout: 60_000 }, async () => {
  const listed = ['discovery/readonly-00*', 'discovery/readonly-999-nothing', 'discovery/basic-999-of-another-list'];
  const { outdated } = await withOneAnswer((base) => replay('discovery', 'readonly', base, listed));
  expect(outdated).toEqual(['discovery/readonly-999-nothing']);
});
