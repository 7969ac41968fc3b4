// What operators and clients hold in their hands on three servers: who leads and how far the others are, hand-over, removal, health,
// reads that say how fresh they are, and what is answered when nobody leads.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { Agent } from '../../../src/index.ts';
import { eventually, until } from '../../support/eventually.ts';
import { AgentCluster } from './support.ts';

interface Peer {
  ID: string;
  Node: string;
  Address: string;
  Leader: boolean;
  Voter: boolean;
  LastIndex: number;
}

const cluster = new AgentCluster('127.0.23');
const seed = { min_quorum: 3, last_contact_threshold: '750ms', server_stabilization_time: '500ms' };
beforeAll(() => cluster.servers(3, { autopilot: seed, performance: { rpc_hold_timeout: '1500ms' } }), 60_000);
afterAll(() => cluster.close());

const names = ['s1', 's2', 's3'];
const peers = async (at: string): Promise<Peer[]> =>
  (await cluster.get<{ Servers: Peer[] }>(at, '/v1/operator/raft/configuration')).Servers;
const ask = (at: string, path: string, method = 'GET', body?: string): Promise<Response> =>
  fetch(cluster.agent(at).httpAddress + path, { method, ...(body === undefined ? {} : { body }) });

/** Runs the command line against one server. */
async function heddle(at: string, ...words: string[]): Promise<{ code: number; out: string }> {
  let out = '';
  const code = await main({
    argv: [...words.slice(0, 3), `-http-addr=${cluster.agent(at).httpAddress}`, ...words.slice(3)],
    env: {},
    io: {
      out: (text) => (out += `${text}\n`),
      error: (text) => (out += `${text}\n`),
      write: (data) => (out += String(data)),
      readStdin: async () => Buffer.alloc(0),
    },
    signal: new AbortController().signal,
  });
  return { code, out };
}

describe('while one leads', () => {
  it('every server tells the same configuration, with how far each log is', async () => {
    const leader = await cluster.leader();
    for (const name of names) {
      const found = await until(
        () => peers(name),
        (list) => list.length === 3 && list.every(({ Voter, LastIndex }) => Voter && LastIndex > 0),
      );
      expect(found.map(({ Node }) => Node).sort()).toEqual(names);
      expect(found.find(({ Leader }) => Leader)?.Node).toBe(leader);
    }
    const { code, out } = await heddle(leader, 'operator', 'raft', 'list-peers');
    expect(code).toBe(0);
    expect(out).toMatch(/Trails Leader By/);
    expect(out.match(/\d+ commits?$/gm)).toHaveLength(2);
  });

  it('a write on any server is in a consistent read on every other', async () => {
    for (const [i, name] of names.entries()) {
      expect(await cluster.put(name, `/v1/kv/from/${name}`, 'x')).toBe('200 true');
      const other = names[(i + 1) % 3]!;
      const answer = await ask(other, `/v1/kv/from/${name}?raw&consistent`);
      expect([answer.status, await answer.text()]).toEqual([200, 'x']);
      expect(answer.headers.get('x-consul-lastcontact')).toBe('0');
      expect(answer.headers.get('x-consul-knownleader')).toBe('true');
    }
  });

  it('a stale read is answered where it is asked, unless it would be too old', async () => {
    await cluster.put('s1', '/v1/kv/fresh', 'x');
    const leader = await cluster.leader();
    const follower = names.find((name) => name !== leader)!;
    await eventually(async () => ((await ask(follower, '/v1/kv/fresh?stale')).status === 200 ? true : undefined));
    // A follower that has not heard its leader for longer than no time at all asks the leader.
    const strict = await ask(follower, '/v1/kv/fresh?raw&max_stale=0s');
    expect([strict.status, await strict.text()]).toEqual([200, 'x']);
    const loose = await ask(follower, '/v1/kv/fresh?raw&max_stale=10m');
    expect(Number(loose.headers.get('x-consul-lastcontact'))).toBeLessThan(600_000);
    expect(loose.headers.get('x-consul-knownleader')).toBe('true');
  });

  it('the settings of the configuration seed autopilot, and belong to the operators from then on', async () => {
    const path = '/v1/operator/autopilot/configuration';
    const stored = await eventually(() => cluster.get<Record<string, unknown>>('s2', path).catch(() => undefined));
    expect(stored).toMatchObject({ MinQuorum: 3, LastContactThreshold: '750ms', ServerStabilizationTime: '500ms' });
    const { ModifyIndex } = stored;
    const wanted = { ...stored, MaxTrailingLogs: 1_000 };
    expect(await cluster.put('s3', `${path}?cas=1`, wanted)).toBe('200 false');
    expect(await cluster.put('s3', `${path}?cas=${String(ModifyIndex)}`, wanted)).toBe('200 true');
    expect(await cluster.get('s1', path)).toMatchObject({ MaxTrailingLogs: 1_000 });
  });

  it('leadership is handed over from a follower’s door, and the new leader takes writes', async () => {
    const before = await cluster.leader();
    const follower = names.find((name) => name !== before)!;
    const { code, out } = await heddle(follower, 'operator', 'raft', 'transfer-leader');
    expect([code, out]).toEqual([0, expect.stringMatching(/success/i)]);
    await until(
      () => cluster.leader(),
      (name) => name !== before,
    );
    expect(await cluster.put(before, '/v1/kv/after', 'x')).toBe('200 true');
  });

  it('autopilot finds all healthy', async () => {
    await eventually(async () =>
      (await ask('s1', '/v1/operator/autopilot/health')).status === 200 ? true : undefined,
    );
    const state = await cluster.get<Record<string, unknown>>('s3', '/v1/operator/autopilot/state');
    expect(state).toMatchObject({ Healthy: true, FailureTolerance: 1 });
    expect(state.Voters).toHaveLength(3);
  });
});

describe('when servers are lost', () => {
  it('one dead: health is 429 with the same body; it stays a member, since no more than the minimum are left', async () => {
    const leader = await cluster.leader();
    const lost = names.find((name) => name !== leader)!;
    await cluster.crash(lost);
    const health = await eventually(async () => {
      const answer = await ask(leader, '/v1/operator/autopilot/health');
      return answer.status === 429 ? ((await answer.json()) as { Healthy: boolean; Servers: unknown[] }) : undefined;
    });
    expect(health).toMatchObject({ Healthy: false, FailureTolerance: 0 });
    expect(health.Servers).toHaveLength(3);
    expect(await peers(leader)).toHaveLength(3);
    expect(await heddle(leader, 'operator', 'raft', 'remove-peer', '-address=127.0.23.99:1')).toMatchObject({
      code: 1,
    });
  });

  it('a majority dead: writes and default reads end after the hold, stale reads and the state go on', async () => {
    const [other] = [...cluster.agents.keys()].filter((name) => name !== undefined);
    const last = [...cluster.agents.keys()].find((name) => name !== other)!;
    await cluster.crash(other!);
    await until(
      () => cluster.get<string>(last, '/v1/status/leader'),
      (address) => address === '',
    );
    for (const answer of [
      ask(last, '/v1/kv/x', 'PUT', 'x'),
      ask(last, '/v1/kv/fresh'),
      ask(last, '/v1/kv/fresh?consistent'),
    ])
      expect([(await answer).status, await (await answer).text()]).toEqual([500, 'No cluster leader']);
    const stale = await ask(last, '/v1/kv/fresh?raw&stale');
    expect([stale.status, await stale.text()]).toEqual([200, 'x']);
    expect(stale.headers.get('x-consul-knownleader')).toBe('false');
    expect(Number(stale.headers.get('x-consul-lastcontact'))).toBeGreaterThan(0);
    const snapshot = await ask(last, '/v1/snapshot');
    expect([snapshot.status, await snapshot.text()]).toEqual([500, 'No cluster leader']);
    const staleSnapshot = await ask(last, '/v1/snapshot?stale');
    expect(staleSnapshot.status).toBe(200);
    expect((await staleSnapshot.arrayBuffer()).byteLength).toBeGreaterThan(100);
  });
});

describe('a server that never had a leader', () => {
  it('holds every read, stale ones too, and then says that there is none', async () => {
    let alone: Agent | undefined;
    const starting = Agent.start({
      anyPorts: true,
      given: {
        ...{ server: true, bootstrap_expect: 3, node_name: 'alone', data_dir: join(cluster.folder, 'alone') },
        ...{ bind_addr: '127.0.23.40', client_addr: '127.0.23.40', performance: { rpc_hold_timeout: '300ms' } },
      },
      output: () => undefined,
      onConfigured: (agent) => {
        alone = agent;
      },
    });
    // It waits for the two others until it is stopped.
    starting.catch(() => undefined);
    const agent = await eventually(() => (alone !== undefined && alone.httpAddress !== '' ? alone : undefined));
    try {
      for (const path of ['/v1/kv/x', '/v1/kv/x?stale', '/v1/kv/x?consistent', '/v1/snapshot', '/v1/snapshot?stale']) {
        const answer = await fetch(agent.httpAddress + path);
        expect([path, answer.status, await answer.text()]).toEqual([path, 500, 'No cluster leader']);
      }
      expect(await (await fetch(`${agent.httpAddress}/v1/status/leader`)).json()).toBe('');
    } finally {
      await agent.stop();
    }
  });
});
