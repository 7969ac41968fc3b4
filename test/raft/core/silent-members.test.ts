/** No change of members takes the majority away by itself: who is silent is not counted on (fault catalogue M04). */
import { expect, it } from 'vitest';
import { Cores } from './cores.ts';

it('a learner that has everything, and has died since, is not promoted; once it answers again it is', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  cores.do('a', (core) => core.changeMembership({ demote: ['c'] }, cores.nowMs));
  cores.deliver();
  expect(cores.get('a').state.membership.latest).toMatchObject({ voters: ['a', 'b'], learners: ['c'] });
  const promote = (): unknown => {
    let answer: unknown;
    cores.do('a', (core) => {
      const result = core.changeMembership({ promote: ['c'] }, cores.nowMs);
      answer = result.ok ? 'ok' : result.error;
    });
    return answer;
  };
  const { electionTimeoutTicks } = cores.get('a').state.settings;
  for (let tick = 0; tick < electionTimeoutTicks; tick++) {
    cores.nowMs += 10;
    cores.do('a', (core) => core.tick(cores.nowMs));
    cores.deliver(({ from }) => from === 'c');
  }
  expect(cores.get('a').state.role).toBe('leader');
  expect(promote()).toBe('notCaughtUp');

  for (let tick = 0; tick < electionTimeoutTicks; tick++) {
    cores.nowMs += 10;
    cores.do('a', (core) => core.tick(cores.nowMs));
    cores.deliver();
  }
  expect(promote()).toBe('ok');
});

it('a voter is not removed when those who are left need one that is silent', () => {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  const { electionTimeoutTicks } = cores.get('a').state.settings;
  for (let tick = 0; tick < electionTimeoutTicks; tick++) {
    cores.nowMs += 10;
    cores.do('a', (core) => core.tick(cores.nowMs));
    cores.deliver(({ from }) => from === 'c');
  }
  cores.do('a', (core) => {
    expect(core.changeMembership({ remove: ['b'] }, cores.nowMs)).toMatchObject({
      ok: false,
      error: { detail: 'no majority of the new voters answers at present' },
    });
    expect(core.changeMembership({ remove: ['c'] }, cores.nowMs).ok).toBe(true);
  });
});
