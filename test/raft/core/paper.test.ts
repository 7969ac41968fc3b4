/** One test a sentence of the Raft paper (and of the dissertation), on bare cores. */
import { expect, it } from 'vitest';
import { defaultSettings } from '../../../src/raft/config.ts';
import { append, Cores, noop, vote } from './cores.ts';

it('§5.1: a server with a stale leader or candidate tells it of the newer term, and changes nothing', () => {
  const cores = new Cores(['a', 'b'], { a: { hardState: { term: 5, votedFor: '' } } });
  const sent = cores.do('a', (core) => core.step(append('b', 'a', { term: 3 }), cores.nowMs));
  expect(sent).toMatchObject([{ kind: 'heartbeatResponse', to: 'b', term: 5 }]);
  expect(cores.get('a').state.leaderId).toBe('');
});

it('§5.1: a leader that hears of a later term becomes a follower of it', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  expect(cores.get('a').state.role).toBe('leader');
  cores.do('a', (core) =>
    core.step({ kind: 'heartbeatResponse', from: 'b', to: 'a', term: 9, readRound: 0, sentMs: 0 }, cores.nowMs),
  );
  expect(cores.get('a').state).toMatchObject({ role: 'follower', term: 9, leaderId: '' });
});

it('§5.2: a server votes for one candidate in a term, first come, first served', () => {
  const cores = new Cores(['a', 'b', 'c']);
  expect(cores.do('a', (core) => core.step(vote('b', 'a'), cores.nowMs))).toMatchObject([{ granted: true }]);
  expect(cores.do('a', (core) => core.step(vote('c', 'a'), cores.nowMs))).toMatchObject([{ granted: false }]);
  expect(cores.do('a', (core) => core.step(vote('b', 'a'), cores.nowMs))).toMatchObject([{ granted: true }]);
});

it('Figure 2: a vote is on stable storage before it is given', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.diskIsFast = false;
  expect(cores.do('a', (core) => core.step(vote('b', 'a'), cores.nowMs))).toEqual([]);
  expect(cores.persist('a')).toMatchObject([{ kind: 'voteResponse', granted: true }]);
});

it('Figure 2: entries are on stable storage before they are acknowledged', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.diskIsFast = false;
  expect(cores.do('a', (core) => core.step(append('b', 'a', { entries: [noop(2, 2)] }), cores.nowMs))).toEqual([]);
  expect(cores.persist('a')).toMatchObject([{ kind: 'appendResponse', ok: true, matchIndex: 2 }]);
});

it('§5.2: a candidate wins with a majority, and says so to all at once', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  expect(cores.get('a').state.role).toBe('leader');
  expect(cores.get('b').state.leaderId).toBe('a');
  expect(cores.get('c').state.leaderId).toBe('a');
});

it('§5.2: a candidate that hears from a leader of its term gives way to it', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.tickUntil('a', ({ state }) => state.role === 'preCandidate');
  cores.do('a', (core) => core.step(append('b', 'a', { term: 1 }), cores.nowMs));
  expect(cores.get('a').state).toMatchObject({ role: 'follower', leaderId: 'b' });
});

it('§5.3: a follower refuses an append that its log does not lead up to', () => {
  const cores = new Cores(['a', 'b']);
  const sent = cores.do('a', (core) => core.step(append('b', 'a', { prevIndex: 7, prevTerm: 2 }), cores.nowMs));
  expect(sent).toMatchObject([{ kind: 'appendResponse', ok: false, rejectedIndex: 7, hintIndex: 1, hintTerm: 1 }]);
});

it('§5.3: an entry that conflicts with a new one goes, and all that follow it', () => {
  const cores = new Cores(['a', 'b'], { a: { terms: [2, 2, 2] } });
  cores.do('a', (core) =>
    core.step(append('b', 'a', { term: 3, prevIndex: 2, prevTerm: 2, entries: [noop(3, 3)] }), cores.nowMs),
  );
  expect(cores.get('a').state.log.last).toEqual({ index: 3, term: 3 });
});

it('§5.3: an append that the log already contains removes nothing, however old it is', () => {
  const cores = new Cores(['a', 'b'], { a: { terms: [2, 2, 2] } });
  cores.do('a', (core) => core.step(append('b', 'a', { entries: [noop(2, 2)] }), cores.nowMs));
  expect(cores.get('a').state.log.last).toEqual({ index: 4, term: 2 });
});

it('§5.3: a divergence costs a round trip a term, not one an entry', () => {
  const cores = new Cores(['a', 'b', 'c'], {
    a: { terms: [2, 2, 2, 2, 5, 5, 5, 5] },
    b: { terms: [2, 3, 3, 3, 3, 3, 3, 3, 3] },
    c: { terms: [2, 2, 2, 2, 5, 5, 5, 5] },
  });
  cores.elect('a');
  let refusals = 0;
  cores.propose('a', 'x');
  cores.deliver((message) => {
    if (message.kind === 'appendResponse' && !message.ok) refusals++;
    return false;
  });
  expect(refusals).toBeLessThanOrEqual(3);
});

it('§5.4.1: a vote is refused to a candidate whose log is less up to date', () => {
  const cores = new Cores(['a', 'b'], { a: { terms: [2, 3] } });
  for (const last of [
    { lastIndex: 99, lastTerm: 2 },
    { lastIndex: 2, lastTerm: 3 },
  ]) {
    const sent = cores.do('a', (core) => core.step(vote('b', 'a', { term: 8, ...last }), cores.nowMs));
    expect(sent).toMatchObject([{ granted: false }]);
  }
});

it('§5.4.2: an entry of an earlier term is not committed by counting its copies (Figure 8)', () => {
  const cores = new Cores(['a', 'b', 'c'], { a: { terms: [2] }, b: { terms: [2] }, c: {} });
  cores.tickUntil('a', ({ state }) => state.role === 'preCandidate');
  // Everything but the acknowledgement of the leader's own first entry: entry 2 of term 2 is on a majority all the while.
  cores.deliver((message) => message.kind === 'append');
  const { state } = cores.get('a');
  expect(state.role).toBe('leader');
  const response = { kind: 'appendResponse', from: 'b', to: 'a', term: state.term, ok: true } as const;
  const nothing = { rejectedIndex: 0, hintIndex: 0, hintTerm: 0, sentMs: 0 };
  cores.do('a', (core) => core.step({ ...response, ...nothing, matchIndex: 2 }, cores.nowMs));
  expect(state.commitIndex).toBe(0);
  cores.do('a', (core) => core.step({ ...response, ...nothing, matchIndex: 3 }, cores.nowMs));
  expect(state.commitIndex).toBe(3);
});

it('§5.3: a leader counts its own copy when its own disk has it', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  cores.diskIsFast = false;
  const before = cores.get('a').state.commitIndex;
  cores.propose('a', 'x');
  expect(cores.get('a').state.commitIndex).toBe(before);
  const index = before + 1;
  cores.wire = [];
  cores.do('a', (core) =>
    core.step(
      {
        ...{ kind: 'appendResponse', from: 'b', to: 'a', term: core.state.term, ok: true, matchIndex: index },
        ...{ rejectedIndex: 0, hintIndex: 0, hintTerm: 0, sentMs: 0 },
      },
      cores.nowMs,
    ),
  );
  expect(cores.get('a').state.commitIndex).toBe(before);
  cores.persist('a');
  expect(cores.get('a').state.commitIndex).toBe(index);
});

it('§6: a server that hears from its leader gives no vote to another', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  const { term } = cores.get('b').state;
  const sent = cores.do('b', (core) =>
    core.step(vote('c', 'b', { term: term + 1, lastIndex: 99, lastTerm: 99 }), cores.nowMs),
  );
  expect(sent).toEqual([]);
  expect(cores.get('b').state.term).toBe(term);
});

it('dissertation §6.4.1: a broken connection shortens the wait to the lease, not to nothing', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  const { term } = cores.get('b').state;
  const ask = (): unknown[] =>
    cores.do('b', (core) => core.step(vote('c', 'b', { term: term + 1, lastIndex: 99, lastTerm: 99 }), cores.nowMs));
  cores.do('b', (core) => core.peerBroken('a', cores.nowMs));
  cores.nowMs += defaultSettings.leaseMs - 1;
  expect(ask()).toEqual([]);
  cores.nowMs += 2;
  expect(ask()).toMatchObject([{ granted: true }]);
});

it('dissertation §9.6: a server that cannot win disturbs nobody', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  const { term } = cores.get('a').state;
  cores.tickUntil('c', ({ state }) => state.role === 'preCandidate');
  // The others have heard from their leader all the while.
  for (const id of ['a', 'b']) cores.get(id).state.contactMs = cores.nowMs;
  for (const progress of cores.get('a').state.leadership!.peers.values()) progress.contactMs = cores.nowMs;
  cores.deliver();
  expect([...cores.cores.values()].map(({ state }) => state.term)).toEqual([term, term, term]);
  expect(cores.get('a').state.role).toBe('leader');
});

it('dissertation §6.4: reads of one round are answered after a majority confirms it, and not by older answers', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  const core = cores.get('a');
  core.read(1, cores.nowMs);
  core.drain();
  core.step(
    { kind: 'heartbeatResponse', from: 'b', to: 'a', term: core.state.term, readRound: 0, sentMs: 0 },
    cores.nowMs,
  );
  expect(core.drain().readsReady).toEqual([]);
  core.step(
    { kind: 'heartbeatResponse', from: 'b', to: 'a', term: core.state.term, readRound: 1, sentMs: 0 },
    cores.nowMs,
  );
  expect(core.drain().readsReady).toEqual([{ id: 1, index: core.state.commitIndex }]);
});

it('dissertation §3.10: the lease is void from the order to transfer leadership on', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  cores.tickUntil('a', ({ state }) => state.electionTicks === 0);
  cores.deliver();
  expect(cores.get('a').leaseIsValid(cores.nowMs)).toBe(true);
  const sent = cores.do('a', (core) => core.transfer('b', cores.nowMs));
  expect(sent).toMatchObject([{ kind: 'timeoutNow', to: 'b' }]);
  expect(cores.get('a').leaseIsValid(cores.nowMs)).toBe(false);
});

it('§8: a lone voter leads without asking anybody', () => {
  const cores = new Cores(['a']);
  cores.do('a', (core) => core.start(cores.nowMs));
  expect(cores.get('a').state).toMatchObject({ role: 'leader', commitIndex: 2 });
});

it('a malformed message changes nothing and is reported', () => {
  const cores = new Cores(['a', 'b']);
  const core = cores.get('a');
  const before = core.state.log.last;
  for (const message of [
    append('b', 'a', { entries: [noop(9, 2)] }),
    append('b', 'a', { entries: [noop(2, 7)] }),
    append('b', 'a', { prevIndex: -1 }),
    vote('b', 'a', { term: Number.NaN }),
    vote('b', 'a', { lastIndex: 1.5 }),
  ]) {
    core.step(message, cores.nowMs);
    expect(core.drain().events).toMatchObject([{ kind: 'badMessage', from: 'b' }]);
  }
  expect(core.state.log.last).toEqual(before);
});
