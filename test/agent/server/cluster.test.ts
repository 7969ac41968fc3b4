/**
 * Three servers in one process on a reliable network that is cut where a test says: forwarding, fail-over, blocking reads
 * on a follower, a snapshot restored on all, a server that was away caught up by a checkpoint.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Server, ServerSnapshots } from '../../../src/agent/server/index.ts';
import { stateHash } from '../../../src/fsm/index.ts';
import { eventually } from '../../support/eventually.ts';
import { Cluster, ids } from './cluster-support.ts';
import { caller, reading } from './support.ts';

let cluster: Cluster;
beforeEach(() => {
  cluster = new Cluster();
});
afterEach(() => cluster.close());

const put = (server: Server, Key: string, value: string) =>
  server.apply('kv.set', { Key, Value: Buffer.from(value), Flags: 0 }, caller);
const get = async (server: Server, key: string, options = {}): Promise<string | undefined> => {
  const { value } = await server.query('kv.get', { key }, { ...reading, ...options });
  return value === null ? undefined : Buffer.from(value.Value ?? []).toString();
};
const sameState = (): Promise<true> =>
  eventually(() => {
    const all = [...cluster.servers.values()];
    const index = Math.max(...all.map((server) => server.state.appliedIndex));
    if (all.some((server) => server.state.appliedIndex !== index)) return undefined;
    return new Set(all.map((server) => stateHash(server.state.store.storage))).size === 1 ? true : undefined;
  });

it('any server takes writes and reads in every way', async () => {
  await cluster.startAll();
  const [follower] = await cluster.followers();
  expect(await put(follower!, 'a', '1')).toBe(true);
  for (const server of cluster.servers.values()) {
    expect(await get(server, 'a')).toBe('1');
    expect(await get(server, 'a', { consistency: 'consistent' })).toBe('1');
  }
  const stale = await eventually(async () =>
    (await get(follower!, 'a', { consistency: 'stale' })) === '1' ? true : undefined,
  );
  expect(stale).toBe(true);
  const consul = await eventually(async () => {
    const { value } = await follower!.query('catalog.service', { name: 'consul' }, reading);
    return value.length === ids.length ? value : undefined;
  });
  expect(consul.map((instance) => instance.Node)).toEqual(['s1', 's2', 's3']);
  await sameState();
});

it('a write after the leader has gone is held until there is another, and nothing acknowledged is lost', async () => {
  await cluster.startAll();
  const first = await cluster.leader();
  for (let i = 0; i < 20; i++) await put(first, `k/${i}`, String(i));
  const [follower] = await cluster.followers();
  await cluster.stop(first.raft.id);
  expect(await put(follower!, 'after', '1')).toBe(true);
  for (let i = 0; i < 20; i++) expect(await get(follower!, `k/${i}`, { consistency: 'consistent' })).toBe(String(i));
});

it('a leader that is cut off answers no consistent read and no write as its own', async () => {
  await cluster.startAll();
  const old = await cluster.leader();
  await put(old, 'a', 'old');
  cluster.isolate(old.raft.id);
  const others = [...cluster.servers.values()].filter((server) => server !== old);
  const next = await eventually(() => others.find((server) => server.leadership.leading));
  await put(next, 'a', 'new');
  const read = get(old, 'a', { consistency: 'consistent' });
  // Held while it was certainly not carried out, or its outcome is said to be unknown: never a false answer.
  const write = put(old, 'b', '1').then(
    (done) => expect(done).toBe(true),
    (error) => expect(error).toMatchObject({ code: 'unknownOutcome' }),
  );
  cluster.heal();
  expect(await read).toBe('new');
  await write;
});

it('a blocking read on a follower wakes for a write elsewhere', async () => {
  await cluster.startAll();
  const leader = await cluster.leader();
  const [follower] = await cluster.followers();
  await put(leader, 'a', '1');
  const options = { ...reading, consistency: 'stale' } as const;
  const index = await eventually(
    async () => (await follower!.query('kv.get', { key: 'a' }, options)).index || undefined,
  );
  const waiting = follower!.query('kv.get', { key: 'a' }, { ...options, minIndex: index });
  await put(leader, 'a', '2');
  expect(Buffer.from((await waiting).value!.Value!).toString()).toBe('2');
});

it('a snapshot is restored on every server', async () => {
  await cluster.startAll();
  const leader = await cluster.leader();
  await put(leader, 'a', 'saved');
  const [follower] = await cluster.followers();
  const { archive } = await new ServerSnapshots(follower!, Date.now).save(reading);
  const pieces: Uint8Array[] = [];
  for await (const piece of archive) pieces.push(piece);
  await put(leader, 'a', 'later');
  await new ServerSnapshots(follower!, Date.now).restore(
    (async function* () {
      yield* pieces;
    })(),
    caller,
  );
  for (const server of cluster.servers.values()) {
    await eventually(async () => ((await get(server, 'a', { consistency: 'stale' })) === 'saved' ? true : undefined));
  }
  await sameState();
});

it('a server that was away longer than the log reaches back is caught up by a checkpoint', async () => {
  await cluster.startAll();
  const leader = await cluster.leader();
  const [away] = await cluster.followers();
  const id = away!.raft.id;
  await cluster.stop(id);
  for (let i = 0; i < 800; i += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, j) => put(leader, `k/${i + j}`, 'v'.repeat(100))));
  }
  await eventually(() => (leader.raft.status().prefixIndex > away!.state.appliedIndex ? true : undefined));
  const back = await cluster.start(id);
  await put(leader, 'last', '1');
  await eventually(async () => ((await get(back, 'last', { consistency: 'stale' })) === '1' ? true : undefined));
  await sameState();
});

it('a server is caught up by checkpoints while writes go on, twice, with another leader in between', async () => {
  // 20,000 entries behind each time; both checkpoints and log are far shorter than that.
  await cluster.close();
  cluster = new Cluster({ checkpointEntries: 4_000, trailingEntries: 500, checkpointChunkBytes: 16_384 });
  await cluster.startAll();
  let written = 0;
  const write = async (count: number, stopped: () => boolean = () => false): Promise<void> => {
    for (let done = 0; done < count && !stopped(); done += 500) {
      const server = [...cluster.servers.values()][0]!;
      await Promise.all(Array.from({ length: 500 }, () => put(server, `k/${written++ % 3_000}`, 'v'.repeat(50))));
    }
  };
  for (let round = 0; round < 2; round++) {
    const away = (await cluster.followers())[0]!.raft.id;
    await cluster.stop(away);
    await write(20_000);
    const leader = await cluster.leader();
    await eventually(() => (leader.raft.status().prefixIndex > 15_000 ? true : undefined));
    const back = await cluster.start(away);
    let caughtUp = false;
    const writing = write(1_000_000, () => caughtUp);
    const target = leader.raft.status().lastLogIndex;
    await eventually(() => (back.state.appliedIndex >= target ? true : undefined));
    caughtUp = true;
    await writing;
    expect(back.raft.status().checkpointIndex).toBeGreaterThan(15_000);
    await sameState();
    await leader.raft.transferLeadership();
    expect((await cluster.leader()).raft.id).not.toBe(leader.raft.id);
  }
}, 120_000);
