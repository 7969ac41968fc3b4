/** The driver with real disks and clocks: what a program that uses the library sees. */
import { afterEach, describe, expect, it } from 'vitest';
import { Cluster, configurationOf } from './support/cluster.ts';
import { encode } from './support/kv.ts';

let cluster: Cluster;
afterEach(() => cluster.stop());

describe('one voter', () => {
  it('leads at once, commits, and has everything after a restart', async () => {
    cluster = new Cluster();
    await cluster.startAll('a');
    const leader = await cluster.leader();
    const { result } = await leader.propose(encode({ key: 'k', to: '1' }));
    expect(result).toEqual({ ok: true, before: undefined });
    await cluster.kill('a');
    cluster.machines.delete('a');
    await cluster.start('a');
    const again = await cluster.leader();
    await again.readBarrier('readIndex');
    expect(cluster.machines.get('a')!.state.get('k')).toBe('1');
  });

  it('applies proposals of one turn in one run', async () => {
    cluster = new Cluster();
    await cluster.startAll('a');
    const leader = await cluster.leader();
    await Promise.all(Array.from({ length: 100 }, (_, i) => leader.propose(encode({ key: 'k', to: `${i}` }))));
    expect(cluster.machines.get('a')!.runs).toEqual([100]);
  });
});

describe('three voters', () => {
  it('agree on a leader, replicate, and elect another when it stops', async () => {
    cluster = new Cluster();
    await cluster.startAll('a', 'b', 'c');
    const first = await cluster.leader();
    await first.propose(encode({ key: 'k', to: '1' }));
    await cluster.kill(first.id);
    const second = await cluster.leader();
    expect(second.id).not.toBe(first.id);
    const { result } = await second.propose(encode({ key: 'k', to: '2', from: '1' }));
    expect(result).toEqual({ ok: true, before: '1' });
  });

  it('refuse on a follower, naming the leader', async () => {
    cluster = new Cluster();
    await cluster.startAll('a', 'b', 'c');
    const leader = await cluster.leader();
    const follower = [...cluster.nodes.values()].find(
      (node) => node !== leader && node.status().leaderId === leader.id,
    )!;
    await expect(follower.propose(encode({ key: 'k', to: '1' }))).rejects.toMatchObject({
      code: 'notLeader',
      fields: { leaderId: leader.id },
    });
  });

  it('answer reads of one turn by two rounds, and those under the lease at once', async () => {
    cluster = new Cluster();
    await cluster.startAll('a', 'b', 'c');
    const leader = await cluster.leader();
    const { index } = await leader.propose(encode({ key: 'k', to: '1' }));
    const { reads } = leader.core.state.leadership!;
    const before = reads.round;
    const points = await Promise.all(Array.from({ length: 100 }, () => leader.readBarrier('readIndex')));
    // The first read has one to itself, since nobody knows yet that there are more.
    expect(reads.round).toBe(before + 2);
    expect(Math.min(...points)).toBeGreaterThanOrEqual(index);
    // The answers of that round renewed the lease.
    expect(leader.leaseRead()).toBeGreaterThanOrEqual(index);
    for (const node of cluster.nodes.values()) if (node !== leader) expect(node.leaseRead()).toBeUndefined();
    await cluster.kill(leader.id);
    expect(leader.leaseRead()).toBeUndefined();
  });

  it('hand leadership to the server that is named', async () => {
    cluster = new Cluster();
    await cluster.startAll('a', 'b', 'c');
    const first = await cluster.leader();
    const target = ['a', 'b', 'c'].find((id) => id !== first.id)!;
    await first.transferLeadership(target);
    const second = await cluster.leader();
    expect(second.id).toBe(target);
  });

  it('bring up a fourth from a checkpoint, promote it, and go on without the first leader', async () => {
    cluster = new Cluster({ trailingEntries: 2 });
    await cluster.startAll('a', 'b', 'c');
    const leader = await cluster.leader();
    for (let i = 0; i < 20; i++) await leader.propose(encode({ key: `k${i}`, to: 'x' }));
    await leader.checkpoint();
    await cluster.start('d');
    await leader.changeMembership({ addLearners: [{ id: 'd', address: 'd.test' }] });
    await cluster.nodes.get('d')!.waitApplied(20);
    expect(cluster.machines.get('d')!.state.size).toBe(20);
    const after = await leader.changeMembership({ promote: ['d'] });
    const logIds = { d: expect.any(Number) as number };
    expect(after).toEqual({ ...configurationOf('a', 'b', 'c', 'd'), logIds });
    const smaller = await leader.changeMembership({ remove: [leader.id] });
    expect(smaller.voters).toHaveLength(3);
    await cluster.kill(leader.id);
    const next = await cluster.leader();
    await next.propose(encode({ key: 'last', to: 'y' }));
  });
});
