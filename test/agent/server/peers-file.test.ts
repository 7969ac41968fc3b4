// Recovery by raft/peers.json: a cluster whose majority is lost comes back with all it holds, nonsense changes nothing.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPeers } from '../../../src/agent/server/peers-file.ts';
import { eventually } from '../../support/eventually.ts';
import { addresses, Cluster, ids } from './cluster-support.ts';
import { caller, openServer, reading } from './support.ts';

const [s1, s2, s3] = ids as [string, string, string];
const peer = (id: string, non_voter?: boolean) => ({ id, address: addresses[id], ...(non_voter ? { non_voter } : {}) });

describe('recovery', () => {
  let cluster: Cluster;
  beforeEach(() => {
    cluster = new Cluster();
  });
  afterEach(() => cluster.close());

  const file = (id: string): string => join(cluster.dataDir(id), 'raft', 'peers.json');
  const write = (id: string, peers: unknown): void => writeFileSync(file(id), JSON.stringify(peers));

  async function filledAndStopped(): Promise<void> {
    await cluster.startAll();
    const leader = await cluster.leader();
    for (let i = 0; i < 30; i++)
      await leader.apply('kv.set', { Key: `k/${i}`, Value: Buffer.from('v'), Flags: 0 }, caller);
    for (const id of ids) await cluster.stop(id);
  }

  it('one server of three that is left leads alone, with everything that was acknowledged to it', async () => {
    await filledAndStopped();
    write(s2, [peer(s2)]);
    const server = await cluster.start(s2);
    await server.untilLed();
    expect(server.raft.status().configuration).toMatchObject({ voters: [s2], votersOutgoing: [], learners: [] });
    // It was one of the majority or not: what its log held is there, and it takes writes.
    expect(await server.apply('kv.set', { Key: 'after', Value: Buffer.from('1'), Flags: 0 }, caller)).toBe(true);
    const { value } = await server.query(
      'kv.keys',
      { prefix: 'k/', separator: '' },
      { ...reading, consistency: 'consistent' },
    );
    expect(value!.length).toBeGreaterThan(0);
    expect(cluster.warnings.map(({ message }) => message)).toContain(
      'the Raft configuration was replaced by peers.json',
    );
    expect(existsSync(file(s2))).toBe(false);
    expect(JSON.parse(readFileSync(`${file(s2)}.applied`, 'utf8'))).toEqual([peer(s2)]);
  });

  it('two that are left agree, the longer log wins, and the third is taken in as a learner from the file', async () => {
    await cluster.startAll();
    const away = (await cluster.followers())[0]!.raft.id;
    await cluster.stop(away);
    const leader = await cluster.leader();
    for (let i = 0; i < 30; i++)
      await leader.apply('kv.set', { Key: `k/${i}`, Value: Buffer.from('v'), Flags: 0 }, caller);
    const lost = [...cluster.servers.keys()].find((id) => id !== leader.raft.id)!;
    await cluster.stop(lost);
    await cluster.stop(leader.raft.id);
    const left = [leader.raft.id, away];
    for (const id of left)
      write(
        id,
        left.map((each) => peer(each)),
      );
    for (const id of left) await cluster.start(id);
    const next = await cluster.leader();
    // Only the server with all acknowledged writes can be elected.
    expect(next.raft.id).toBe(leader.raft.id);
    const { value } = await next.query(
      'kv.keys',
      { prefix: 'k/', separator: '' },
      { ...reading, consistency: 'consistent' },
    );
    expect(value).toHaveLength(30);
    await next.raft.changeMembership({ addLearners: [{ id: lost, address: addresses[lost]! }] });
    await cluster.start(lost);
    await eventually(() => (cluster.servers.get(lost)!.state.appliedIndex >= 30 ? true : undefined));
    expect(next.raft.status().configuration.learners).toEqual([lost]);
  });

  it('a file that makes no sense stops the start, and the log is as it was', async () => {
    await filledAndStopped();
    write(s1, [peer(s2), peer(s3)]);
    await expect(cluster.start(s1)).rejects.toThrow(`does not name this server, whose id is ${s1}`);
    expect(existsSync(file(s1))).toBe(true);
    write(
      s1,
      ids.map((id) => peer(id)),
    );
    await cluster.start(s1);
    expect(cluster.servers.get(s1)!.raft.status().configuration.voters).toEqual(ids);
  });

  it('a server that never took part has nothing to recover', async () => {
    await cluster.startAll();
    await cluster.stop(s3);
    const other = '99999999-1111-4111-8111-111111111111';
    await expect(
      (async () => {
        const folder = cluster.dataDir('empty');
        const { mkdirSync } = await import('node:fs');
        mkdirSync(join(folder, 'raft'), { recursive: true });
        writeFileSync(join(folder, 'raft', 'peers.json'), JSON.stringify([{ id: other, address: '127.0.14.9:8300' }]));
        await openServer({ dataDir: folder, nodeId: other });
      })(),
    ).rejects.toThrow('there is no Raft state to recover');
  });
});

describe('the form of the file', () => {
  const refused: readonly [string, unknown, string][] = [
    ['no JSON', '{', 'is not JSON'],
    ['an object', {}, 'must be a list of servers'],
    ['nothing', [], 'must be a list of servers'],
    ['the older form', ['10.0.0.1:8300'], 'is only an address (10.0.0.1:8300)'],
    ['no id', [{ address: '10.0.0.1:8300' }], 'has no id of a server'],
    ['an id that is none', [{ id: 's1', address: '10.0.0.1:8300' }], 'has no id of a server: "s1"'],
    ['no address', [{ id: s1 }], 'has no address of the form ip:port'],
    ['no port', [{ id: s1, address: '10.0.0.1' }], 'has no address of the form ip:port: "10.0.0.1"'],
    ['a port too far', [{ id: s1, address: '10.0.0.1:70000' }], 'has no address of the form ip:port'],
    ['an id twice', [peer(s1), { id: s1, address: '10.0.0.9:8300' }], `has the id ${s1} twice`],
    ['an address twice', [peer(s1), { id: s2, address: addresses[s1] }], 'has the address 127.0.14.1:8300 twice'],
    ['no voter', [peer(s1, true)], 'names no voter'],
    ['not this server', [peer(s2)], `does not name this server, whose id is ${s1}`],
    ['a word for a truth', [{ ...peer(s1), non_voter: 'no' }], 'has a non_voter that is neither true nor false'],
    ['a key that is mistyped', [{ ...peer(s1), nonvoter: true }], 'has the key "nonvoter"'],
  ];
  it.each(refused)('%s is refused', (_name, value, reason) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    expect(() => readPeers(text, s1, '/d/raft/peers.json')).toThrow(reason);
  });

  it('ids are read in lower case, non-voters become learners', () => {
    const text = JSON.stringify([peer(s3, true), { ...peer(s1), id: s1.toUpperCase() }, peer(s2)]);
    expect(readPeers(text, s1, 'p')).toEqual({ voters: [s1, s2], votersOutgoing: [], learners: [s3], addresses });
  });
});
