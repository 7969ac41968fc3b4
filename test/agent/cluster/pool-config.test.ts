// Keys of the configuration that show in how agents of a pool behave to each other.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dial } from '../../../src/agent/dial.ts';
import { until } from '../../support/eventually.ts';
import { AgentCluster } from './support.ts';

interface Shown {
  Name: string;
  Addr: string;
  Port: number;
  Status: number;
}

const first = Buffer.alloc(32, 3).toString('base64');
const cluster = new AgentCluster('127.0.14');
beforeAll(() => cluster.servers(1), 60_000);
afterAll(() => cluster.close());

const members = (agent: string, query = '') => cluster.get<Shown[]>(agent, `/v1/agent/members${query}`);
const seen = (by: string, name: string, status: number) =>
  until(
    () => members(by),
    (all) => all.some(({ Name, Status }) => Name === name && Status === status),
  );

describe('rejoin_after_leave', () => {
  it.each([true, false])('%s: an agent that left comes back by what it remembers, or stays alone', async (rejoins) => {
    const name = `r${rejoins}`;
    const host = rejoins ? 41 : 42;
    await cluster.start(name, {}, host);
    await seen('s1', name, 1);
    await cluster.agent(name).leave();
    await cluster.crash(name);
    await seen('s1', name, 3);
    await cluster.start(name, { retry_join: [], rejoin_after_leave: rejoins }, host);
    if (rejoins) await seen('s1', name, 1);
    else {
      // What it would try, it tries at its start: by the time that a later one is in, it would be too.
      await cluster.start('later');
      await seen('s1', 'later', 1);
      expect((await members(name)).map(({ Name }) => Name)).toEqual([name]);
      await seen('s1', name, 3);
    }
  });
});

describe('addresses', () => {
  it('gossip listens on serf_lan and serf_wan, and nowhere else; the advertised ones are told', async () => {
    const serf_lan = '127.0.14.52';
    const serf_wan = '127.0.14.53';
    const advertised = { advertise_addr: serf_lan, advertise_addr_wan: serf_wan };
    const given = {
      server: true,
      bootstrap: true,
      datacenter: 'dc9',
      retry_join: [],
      serf_lan,
      serf_wan,
      ...advertised,
    };
    await cluster.start('a1', given, 51);
    const [lan] = await members('a1');
    const [wan] = await members('a1', '?wan=1');
    expect([lan!.Addr, wan!.Addr]).toEqual([serf_lan, serf_wan]);
    expect(await dial(serf_lan, lan!.Port)).toBeUndefined();
    expect(await dial(serf_wan, wan!.Port)).toBeUndefined();
    for (const [address, port] of [
      ['127.0.14.51', lan!.Port],
      [serf_wan, lan!.Port],
      ['127.0.14.51', wan!.Port],
      [serf_lan, wan!.Port],
    ] as const)
      expect(await dial(address, port)).toMatchObject({ code: 'ECONNREFUSED' });
    const [node] = await cluster.get<{ Address: string; TaggedAddresses: Record<string, string> }[]>(
      'a1',
      '/v1/catalog/nodes',
    );
    expect(node).toMatchObject({ Address: serf_lan, TaggedAddresses: { lan: serf_lan, wan: serf_wan } });
  });
});

describe('encryption that comes by and by', () => {
  // The way of a rolling upgrade: keyed agents that still take plain packets, then send encrypted ones, then insist.
  it('keyed agents that verify nothing yet live with those that have no key', async () => {
    await cluster.start('e1', { encrypt: first, encrypt_verify_incoming: false, encrypt_verify_outgoing: false });
    await seen('s1', 'e1', 1);
    await seen('e1', 's1', 1);
  });

  it('one that insists stays outside', async () => {
    const { Addr, Port } = (await members('s1')).find(({ Name }) => Name === 's1')!;
    await cluster.start('e2', { encrypt: first, retry_join: [] });
    expect(await cluster.put('e2', `/v1/agent/join/${Addr}:${Port}`)).toMatch(/^500 1 error occurred:/);
    expect((await members('e2')).map(({ Name }) => Name)).toEqual(['e2']);
    expect(existsSync(join(cluster.folder, 'e2', 'serf', 'local.keyring'))).toBe(true);
  });

  it('disable_keyring_file: keys are kept nowhere', async () => {
    await cluster.start('e3', { encrypt: first, retry_join: [], disable_keyring_file: true });
    expect(existsSync(join(cluster.folder, 'e3', 'serf', 'local.snapshot'))).toBe(true);
    expect(existsSync(join(cluster.folder, 'e3', 'serf', 'local.keyring'))).toBe(false);
  });
});
