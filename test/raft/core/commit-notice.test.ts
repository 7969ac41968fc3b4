/** How followers learn of a commit: at once when it stands alone, with the next append (or a tick later) when commits follow fast. */
import { expect, it } from 'vitest';
import { defaultSettings } from '../../../src/raft/config.ts';
import { Cores } from './cores.ts';

/** A leader whose followers know everything and that has been quiet for a while. */
function quietLeader(): Cores {
  const cores = new Cores(['a', 'b', 'c']);
  cores.elect('a');
  for (let i = 0; i < defaultSettings.commitNoticeTicks + 5; i++) tick(cores);
  return cores;
}

function tick(cores: Cores): void {
  cores.nowMs += defaultSettings.tickMs;
  cores.do('a', (core) => core.tick(cores.nowMs));
  cores.deliver();
}

function write(cores: Cores): void {
  cores.propose('a', 'x');
  cores.deliver();
}

const commits = (cores: Cores): number[] => ['a', 'b', 'c'].map((id) => cores.get(id).state.commitIndex);

it('a commit that stands alone is told at once', () => {
  const cores = quietLeader();
  write(cores);
  const [leader, ...followers] = commits(cores);
  expect(leader).toBe(cores.get('a').state.log.lastIndex);
  expect(followers).toEqual([leader, leader]);
});

it('a commit right after another is told by the next append', () => {
  const cores = quietLeader();
  write(cores);
  write(cores);
  const [second, ...before] = commits(cores) as [number, number, number];
  expect(before).toEqual([second - 1, second - 1]);
  write(cores);
  expect(commits(cores)).toEqual([second + 1, second, second]);
});

it('a commit that no append follows is told within the ticks allowed', () => {
  const cores = quietLeader();
  write(cores);
  write(cores);
  for (let i = 0; i < defaultSettings.commitNoticeTicks; i++) tick(cores);
  const [leader, ...followers] = commits(cores);
  expect(followers).toEqual([leader, leader]);
});

it('an append on its way is not repeated because of a heartbeat that left before it, and is because of one that left after', () => {
  const cores = quietLeader();
  const { lastIndex } = cores.get('a').state.log;
  const sentMs = cores.nowMs;
  cores.nowMs += 1;
  cores.propose('a', 'x');
  cores.wire = []; // lost
  const answer = (of: number) => () =>
    cores.do('a', (core) =>
      core.step(
        { kind: 'heartbeatResponse', from: 'b', to: 'a', term: core.state.term, readRound: 0, sentMs: of },
        cores.nowMs,
      ),
    );
  expect(answer(sentMs)()).toEqual([]);
  cores.nowMs += 1;
  expect(answer(cores.nowMs)()).toMatchObject([{ kind: 'append', to: 'b', prevIndex: lastIndex + 1 }]);
});
