/** Two servers that ask for pre-votes at the same moment: one gives way, and there is a leader after a single election. */
import { describe, expect, it } from 'vitest';
import { Cores } from './cores.ts';

/** b and c become pre-candidates before either hears the other; a is dead. */
function askTogether(setup: ConstructorParameters<typeof Cores>[1] = {}): Cores {
  const cores = new Cores(['a', 'b', 'c'], setup);
  for (const id of ['b', 'c']) cores.tickUntil(id, ({ state }) => state.role === 'preCandidate');
  cores.cores.delete('a');
  return cores;
}

describe('rival pre-votes', () => {
  it('the higher id goes first between equal logs', () => {
    const cores = askTogether();
    // b waited with the clock of all: c's question is the younger one.
    cores.do('b', (core) => core.tick(cores.nowMs));
    cores.deliver();
    expect(cores.get('c').state).toMatchObject({ role: 'leader', term: 2 });
    expect(cores.get('b').state).toMatchObject({ role: 'follower', term: 2, leaderId: 'c' });
  });

  it('the longer log goes first, whatever the ids', () => {
    const cores = askTogether({ b: { terms: [1] } });
    cores.deliver();
    expect(cores.get('b').state).toMatchObject({ role: 'leader', term: 2 });
    expect(cores.get('c').state).toMatchObject({ role: 'follower', leaderId: 'b' });
  });

  it('whose question has gone unanswered for some time says yes to the other', () => {
    const cores = askTogether();
    cores.wire = cores.wire.filter(({ from }) => from !== 'c');
    for (let i = 0; i < 4; i++) {
      cores.nowMs += 10;
      cores.do('c', (core) => core.tick(cores.nowMs));
    }
    cores.deliver();
    expect(cores.get('b').state).toMatchObject({ role: 'leader', term: 2 });
  });

  it('who gives way asks again soon, should the other one vanish', () => {
    const cores = askTogether();
    cores.deliver(({ kind }) => kind === 'preVoteResponse');
    const { state } = cores.get('b');
    expect(state.role).toBe('follower');
    expect(state.electionTimeoutTicks).toBeLessThan(state.settings.electionTimeoutTicks);
    cores.cores.delete('c');
    cores.tickUntil('b', (core) => core.state.role === 'preCandidate');
    const [question] = cores.wire.filter(({ kind }) => kind === 'preVoteRequest');
    expect(question).toMatchObject({ from: 'b', term: 2 });
  });
});
