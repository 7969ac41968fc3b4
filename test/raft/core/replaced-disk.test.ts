/**
 * A voter whose disk was replaced comes back empty under its old id. It has forgotten its votes and what it acknowledged, so nobody may
 * count it until it was made a learner, has caught up, and is promoted with the log that it has now.
 */
import { beforeEach, expect, it } from 'vitest';
import { resolveSettings } from '../../../src/raft/config.ts';
import { RaftCore } from '../../../src/raft/core/core.ts';
import { planChange } from '../../../src/raft/core/membership.ts';
import { rules } from '../../../src/raft/core/rules.ts';
import { emptyConfiguration } from '../../../src/raft/core/types.ts';
import { seededRandom } from '../../../src/std/random.ts';
import { configurationOf } from '../support/cluster.ts';
import { Cores } from './cores.ts';

const newLog = 77;
let cores: Cores;

/** It has been sent the first entry again, which says that it is a voter. */
const emptied = (id: string, logId: number): RaftCore =>
  new RaftCore({
    ...{ id, settings: resolveSettings(), rules, random: seededRandom(id), appliedIndex: 0, nowMs: cores.nowMs },
    recovered: {
      ...{ logId, hardState: { term: 1, votedFor: '' }, prefix: { index: 0, term: 0 }, lastIndex: 1 },
      ...{ termBoundaries: [{ index: 1, term: 1 }], base: { index: 0, configuration: emptyConfiguration } },
      configurations: [{ index: 1, configuration: configurationOf('a', 'b', 'c') }],
    },
  });
const cut = (id: string) => (message: { readonly from: string; readonly to: string }) =>
  message.from === id || message.to === id;
const change = (wish: Parameters<RaftCore['changeMembership']>[0]): void => {
  cores.do('a', (core) => expect(core.changeMembership(wish, cores.nowMs)).toMatchObject({ ok: true }));
  cores.deliver();
};
const heartbeats = (): void => {
  for (let i = 0; i < 6; i++) {
    cores.nowMs += 10;
    cores.do('a', (core) => core.tick(cores.nowMs));
    cores.deliver();
  }
};

/** a leads; what it committed stands on a and b; c lacks it; the disk of b is replaced. */
beforeEach(() => {
  cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  cores.propose('a', 'acknowledged');
  cores.deliver(cut('c'));
  expect(cores.get('a').state.commitIndex).toBe(cores.get('a').state.log.lastIndex);
  cores.cores.set('b', emptied('b', newLog));
});

it('knows that its state is of no time until it has what the leader had, and once it has it', () => {
  const { state } = cores.get('b');
  expect(state.isFilling).toBe(true);
  heartbeats();
  expect(state.isFilling).toBe(true);
  change({ demote: ['b'] });
  heartbeats();
  cores.do('b', (core) => core.applied(core.state.commitIndex));
  expect(state.isFilling).toBe(false);
  // The other voters restart with what they had: that is old, but of some time.
  expect(cores.get('c').state.isFilling).toBe(false);
});

it('does not campaign', () => {
  for (let i = 0; i < 200; i++) {
    cores.nowMs += 10;
    cores.do('b', (core) => core.tick(cores.nowMs));
  }
  expect(cores.get('b').state.role).toBe('follower');
});

it('gives a candidate no majority with its vote', () => {
  cores.tickUntil('c', ({ state }) => state.role === 'preCandidate');
  cores.deliver(cut('a'));
  // It answers as anybody with an empty log does; the candidate knows that this is not the voter.
  expect(cores.get('c').state.role).toBe('preCandidate');
  expect(cores.get('c').state.leadership).toBeUndefined();
});

it('acknowledges for nobody: with a and the new b nothing is committed, and the leader steps down', () => {
  const { state } = cores.get('a');
  const committed = state.commitIndex;
  cores.propose('a', 'later');
  cores.deliver(cut('c'));
  for (let i = 0; i < 100 && state.leadership !== undefined; i++) {
    cores.nowMs += 10;
    cores.do('a', (core) => core.tick(cores.nowMs));
    cores.deliver(cut('c'));
  }
  expect([state.commitIndex, state.role]).toEqual([committed, 'follower']);
});

it('is told of, is demoted, catches up, and is a voter again with its new log', () => {
  heartbeats();
  const progress = () => cores.get('a').state.leadership!.peers.get('b')!;
  expect(progress().strangeLogId).toBe(newLog);
  expect(cores.get('b').state.log.lastIndex).toBe(1);
  change({ demote: ['b'] });
  heartbeats();
  expect(progress().strangeLogId).toBeUndefined();
  expect(cores.get('b').state.log.lastIndex).toBe(cores.get('a').state.log.lastIndex);
  change({ promote: ['b'] });
  heartbeats();
  expect(cores.get('a').state.membership.latest).toEqual({
    ...configurationOf('a', 'b', 'c'),
    addresses: expect.anything(),
    logIds: { b: newLog },
  });
  // Now it counts: with c away, a and b commit.
  cores.propose('a', 'with the new b');
  cores.deliver(cut('c'));
  const { state } = cores.get('a');
  expect(state.commitIndex).toBe(state.log.lastIndex);
});

it('is not taken for the one that it was when a late word of that one arrives', () => {
  heartbeats();
  change({ demote: ['b'] });
  heartbeats();
  const { state } = cores.get('a');
  const late = { kind: 'appendResponse', from: 'b', to: 'a', term: state.term, ok: true, matchIndex: 3 } as const;
  cores.do('a', (core) =>
    core.step({ ...late, rejectedIndex: 0, hintIndex: 0, hintTerm: 0, sentMs: cores.nowMs }, cores.nowMs),
  );
  const planned = planChange(
    state.membership.latest,
    { promote: ['b'] },
    (id) => state.leadership!.peers.get(id)!.logId,
  );
  // What it would be promoted with is the log that the word was of: the new one does not count under it.
  expect(planned).toMatchObject({ ok: true });
  expect(planned.ok && planned.value.logIds).toBeUndefined();
});

it('does not begin a cluster of its own when the log that it is sent says that it once was alone', () => {
  const alone = emptied('b', newLog);
  alone.state.membership.reset({ index: 1, configuration: configurationOf('b') });
  alone.start(cores.nowMs);
  for (let i = 0; i < 200; i++) alone.tick(cores.nowMs + 10 * i);
  expect(alone.state.role).toBe('follower');
});
