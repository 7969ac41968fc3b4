// The pool between datacenters: the servers of dc1 find each other in it through their LAN pool, one join brings in those of
// dc2, and every view of it (members, datacenters, coordinates, keys) shows what is so.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Agent } from '../../../src/index.ts';
import { until } from '../../support/eventually.ts';
import { AgentCluster } from './support.ts';

interface Shown {
  Name: string;
  Addr: string;
  Port: number;
  Status: number;
  Tags: Record<string, string>;
}

const first = Buffer.alloc(32, 1).toString('base64');
const second = Buffer.alloc(16, 2).toString('base64');
const keyed = { encrypt: first };
const inDc2 = { ...keyed, server: true, bootstrap: true, datacenter: 'dc2', retry_join: [] };

const cluster = new AgentCluster('127.0.14');
beforeAll(async () => {
  await cluster.servers(2, keyed);
  await cluster.start('c1', keyed);
  await cluster.start('m1', inDc2);
}, 60_000);
afterAll(() => cluster.close());

const wan = (agent: string) => cluster.get<Shown[]>(agent, '/v1/agent/members?wan=1');
const names = (members: readonly Shown[], status = 1): string =>
  members
    .filter(({ Status }) => Status === status)
    .map(({ Name }) => Name)
    .sort()
    .join();

describe('the WAN pool', () => {
  it('holds the servers of a datacenter without anybody joining them', async () => {
    for (const agent of ['s1', 's2'])
      await until(
        () => wan(agent),
        (members) => names(members) === 's1.dc1,s2.dc1',
      );
    expect(names(await wan('m1'))).toBe('m1.dc2');
    expect(await cluster.get('c1', '/v1/agent/members?wan=1')).toBeNull();
    expect(await cluster.get('m1', '/v1/catalog/datacenters')).toEqual(['dc2']);
  });

  it('takes in another datacenter by one join, and all servers meet', async () => {
    const seed = (await wan('m1'))[0]!;
    expect(await cluster.put('s1', `/v1/agent/join/${seed.Addr}:${seed.Port}?wan=1`)).toBe('200 ');
    for (const agent of ['s1', 's2', 'm1'])
      await until(
        () => wan(agent),
        (members) => names(members) === 'm1.dc2,s1.dc1,s2.dc1',
      );
    const { Tags, Port } = (await wan('s2')).find(({ Name }) => Name === 'm1.dc2')!;
    expect(Tags).toMatchObject({ role: 'consul', dc: 'dc2' });
    // Where to join over the WAN is told in the LAN pool only.
    expect(Tags).not.toHaveProperty('wan_join_port');
    const [own] = await cluster.get<Shown[]>('m1', '/v1/agent/members');
    expect(own!.Tags.wan_join_port).toBe(String(Port));
    // The LAN pools stay apart.
    expect(names(await cluster.get<Shown[]>('s1', '/v1/agent/members'))).toBe('c1,s1,s2');
  });

  it('orders the datacenters, and says where their servers stand', async () => {
    expect(await cluster.get('s1', '/v1/catalog/datacenters')).toEqual(['dc1', 'dc2']);
    expect(await cluster.get('c1', '/v1/catalog/datacenters')).toEqual(['dc1', 'dc2']);
    expect(await cluster.get('m1', '/v1/catalog/datacenters')).toEqual(['dc2', 'dc1']);
    interface Area {
      Datacenter: string;
      AreaID: string;
      Coordinates: { Node: string; Segment: string; Coord: { Vec: number[] } }[];
    }
    const areas = await until(
      () => cluster.get<Area[]>('s1', '/v1/coordinate/datacenters'),
      (found) => found.flatMap(({ Coordinates }) => Coordinates).length === 3,
    );
    expect(
      areas.map(({ Datacenter, AreaID, Coordinates }) => [
        Datacenter,
        AreaID,
        Coordinates.map(({ Node }) => Node).sort(),
      ]),
    ).toEqual([
      ['dc1', 'wan', ['s1', 's2']],
      ['dc2', 'wan', ['m1']],
    ]);
    expect(areas[1]!.Coordinates[0]!.Coord.Vec).toHaveLength(8);
    const self = await cluster.get<{ Stats: Record<string, Record<string, string>> }>('s1', '/v1/agent/self');
    expect(self.Stats.consul!.known_datacenters).toBe('2');
    expect(self.Stats.serf_wan).toMatchObject({ members: '3', failed: '0', encrypted: 'true' });
  });

  it('has keys of its own, which are managed together with those of the LAN, from clients too', async () => {
    const list = (agent: string, query = '') => cluster.get(agent, `/v1/operator/keyring${query}`);
    const entry = (WAN: boolean, keys: string[], primary: string) => ({
      WAN,
      Datacenter: 'dc1',
      Segment: '',
      Keys: Object.fromEntries(keys.map((key) => [key, 3])),
      PrimaryKeys: { [primary]: 3 },
      NumNodes: 3,
    });
    expect(await list('c1')).toEqual([entry(true, [first], first), entry(false, [first], first)]);
    expect(await list('s1', '?local-only=true')).toEqual([entry(false, [first], first)]);
    const change = (method: string, Key: string) => cluster.put('c1', '/v1/operator/keyring', { Key }, method);
    expect(await change('POST', second)).toBe('200 ');
    expect(await list('s2')).toEqual([entry(true, [first, second], first), entry(false, [first, second], first)]);
    expect(await change('POST', 'abc')).toBe(
      '500 2 errors occurred:\n\t* WAN error: illegal base64 data at input byte 0\n\t* dc1 (LAN) error: illegal base64 data at input byte 0\n\n',
    );
    const refused = await change('DELETE', first);
    expect(refused).toMatch(/^500 8 errors occurred:\n\t\* WAN error: 3\/3 nodes reported failure\n/);
    for (const member of ['s1.dc1', 'm1.dc2', 's2', 'c1'])
      expect(refused).toContain(`\t* ${member}: Removing the primary key is not allowed\n`);
    const file = join(cluster.folder, 's1', 'serf', 'remote.keyring');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual([first, second]);
  });

  it('shows a datacenter that failed until it is forced to leave', async () => {
    await cluster.crash('m1');
    await until(
      () => wan('s1'),
      (members) => names(members, 4) === 'm1.dc2',
    );
    expect(await cluster.get('s1', '/v1/catalog/datacenters')).toEqual(['dc1', 'dc2']);
    expect(await cluster.put('s1', '/v1/agent/force-leave/m1?wan')).toBe("500 agent: No node found with name 'm1'");
    expect(await cluster.put('c1', '/v1/agent/force-leave/m1.dc2?wan')).toMatch(/^500 Must be a server/);
    expect(await cluster.put('s2', '/v1/agent/force-leave/m1.dc2?wan')).toBe('200 ');
    await until(
      () => wan('s1'),
      (members) => names(members, 3) === 'm1.dc2',
    );
    expect(await cluster.get('s1', '/v1/catalog/datacenters')).toEqual(['dc1']);
  });

  it('is left together with the LAN pool', async () => {
    await cluster.agent('s2').leave();
    await until(
      () => wan('s1'),
      (members) => names(members, 3).includes('s2.dc1'),
    );
    expect(names(await cluster.get<Shown[]>('s1', '/v1/agent/members'), 3)).toBe('s2');
  });
});

describe('joins over the WAN', () => {
  it('that the configuration names happen by themselves', async () => {
    const [s1] = (await wan('s1')).filter(({ Name }) => Name === 's1.dc1');
    const retry_join_wan = [`${s1!.Addr}:${s1!.Port}`];
    await cluster.start('m2', { ...inDc2, retry_join_wan, retry_interval_wan: '200ms' });
    await until(
      () => wan('s1'),
      (members) => names(members) === 'm2.dc2,s1.dc1',
    );
  });

  const alone = { node_name: 'x', bind_addr: '127.0.14.99', client_addr: '127.0.14.99', disable_host_node_id: true };

  it('are refused on clients, and where there is no WAN pool', async () => {
    const start_join_wan = ['127.0.14.1'];
    const data_dir = join(cluster.folder, 'x');
    await expect(Agent.start({ anyPorts: true, given: { ...alone, data_dir, start_join_wan } })).rejects.toThrow(
      'Must be a server to join WAN cluster',
    );
    const off = { ...alone, data_dir, server: true, bootstrap: true, ports: { serf_wan: -1 } };
    await expect(Agent.start({ anyPorts: true, given: { ...off, start_join_wan } })).rejects.toThrow(
      'WAN federation is disabled',
    );
    await cluster.start('x', { ...off, encrypt: '', retry_join: [] }, 99);
    expect(await cluster.get('x', '/v1/agent/members?wan=1')).toBeNull();
    expect(await cluster.put('x', '/v1/agent/join/127.0.14.1?wan=1')).toBe('500 WAN federation is disabled');
    expect(await cluster.get('x', '/v1/catalog/datacenters')).toEqual(['dc1']);
    expect(await cluster.get('x', '/v1/coordinate/datacenters')).toEqual([]);
    const [own] = await cluster.get<Shown[]>('x', '/v1/agent/members');
    expect(own!.Tags).not.toHaveProperty('wan_join_port');
  });
});
