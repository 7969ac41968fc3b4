/** Whom a read round asks: as few as make a majority, and all when those do not answer. */
import { expect, it } from 'vitest';
import type { Message } from '../../../src/raft/core/messages.ts';
import { Cores } from './cores.ts';

function led(...ids: string[]): Cores {
  const cores = new Cores(ids);
  cores.elect('a');
  cores.deliver();
  return cores;
}

const heartbeats = (messages: readonly Message[]): string[] =>
  messages.flatMap(({ kind, to }) => (kind === 'heartbeat' ? [to] : []));

/** One tick, and who was sent a heartbeat in it. */
function tick(cores: Cores): string[] {
  cores.nowMs += 10;
  return heartbeats(cores.do('a', (core) => core.tick(cores.nowMs)));
}

it('of three servers the leader asks one other, of five two', () => {
  const three = led('a', 'b', 'c');
  expect(heartbeats(three.do('a', (core) => core.read(1, three.nowMs)))).toHaveLength(1);
  three.deliver();
  expect(three.get('a').state.leadership?.reads.size).toBe(0);
  const five = led('a', 'b', 'c', 'd', 'e');
  expect(heartbeats(five.do('a', (core) => core.read(1, five.nowMs)))).toHaveLength(2);
  five.deliver();
  expect(five.get('a').state.leadership?.reads.size).toBe(0);
});

it('when it does not answer within a tick all are asked, and the one that answers is asked first from then on', () => {
  const cores = led('a', 'b', 'c');
  while (tick(cores).length === 0); // a heartbeat has just been: the next is three ticks away
  cores.deliver();
  const [silent] = heartbeats(cores.do('a', (core) => core.read(1, cores.nowMs))) as [string];
  const other = silent === 'b' ? 'c' : 'b';
  cores.wire = [];
  expect(tick(cores)).toEqual([]);
  expect(tick(cores).sort()).toEqual(['b', 'c']);
  cores.deliver(({ from, to }) => from === silent || to === silent);
  expect(cores.get('a').state.leadership?.reads.size).toBe(0);
  expect(heartbeats(cores.do('a', (core) => core.read(2, cores.nowMs)))).toEqual([other]);
});

it('while two groups of voters rule, a majority of each is asked', () => {
  const cores = led('a', 'b', 'c');
  cores.do('a', (core) => core.changeMembership({ remove: ['b'] }, cores.nowMs));
  cores.wire = [];
  const { voters, votersOutgoing } = cores.get('a').state.membership.latest;
  expect([voters, votersOutgoing]).toEqual([
    ['a', 'c'],
    ['a', 'b', 'c'],
  ]);
  // Two of {a, c}, and two of {a, b, c}.
  const asked = heartbeats(cores.do('a', (core) => core.read(1, cores.nowMs)));
  expect(asked).toContain('c');
});
