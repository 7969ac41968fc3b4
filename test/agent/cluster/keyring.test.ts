// Gossip that is encrypted: keys are changed on all members at once, are kept in a file of the owner's, and the file counts.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../support/eventually.ts';
import { AgentCluster } from './support.ts';

const first = Buffer.alloc(32, 1).toString('base64');
const second = Buffer.alloc(16, 2).toString('base64');
const cluster = new AgentCluster('127.0.19');
beforeAll(async () => {
  await cluster.servers(1, { encrypt: first });
  await cluster.start('c1', { encrypt: first });
  await until(
    () => cluster.get<unknown[]>('s1', '/v1/agent/members'),
    (members) => members.length === 2,
  );
}, 60_000);
afterAll(() => cluster.close());

const list = () => cluster.get('c1', '/v1/operator/keyring');
const pool = (WAN: boolean, NumNodes: number, key: string) => ({
  WAN,
  Datacenter: 'dc1',
  Segment: '',
  Keys: { [key]: NumNodes },
  PrimaryKeys: { [key]: NumNodes },
  NumNodes,
});
const change = (method: string, Key: string) => cluster.put('c1', '/v1/operator/keyring', { Key }, method);

it('a key is installed, used, and the old one removed', async () => {
  const holds = (key: string) => [pool(true, 1, key), pool(false, 2, key)];
  expect(await list()).toEqual(holds(first));
  expect(await change('POST', second)).toBe('200 ');
  expect(await change('DELETE', first)).toMatch(
    /^500 5 errors occurred:\n\t\* WAN error: 1\/1 nodes reported failure\n.*\n\t\* dc1 \(LAN\) error: 2\/2 nodes reported failure\n/,
  );
  expect(await change('PUT', second)).toBe('200 ');
  expect(await change('DELETE', first)).toBe('200 ');
  expect(await list()).toEqual(holds(second));
});

it('the file is the owner’s alone, and wins over the configured key at the next start', async () => {
  const path = join(cluster.folder, 'c1', 'serf', 'local.keyring');
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual([second]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await cluster.crash('c1');
  await cluster.start('c1', { encrypt: first }, 2);
  await until(
    () => cluster.get<{ Status: number }[]>('c1', '/v1/agent/members'),
    (members) => members.length === 2 && members.every(({ Status }) => Status === 1),
  );
  expect(cluster.log.join('\n')).not.toContain(second);
});
