/** A read that waits for a server's word is not forgotten when that server leaves the cluster. */
import { expect, it } from 'vitest';
import { Cores } from './cores.ts';

it('a read round that a removed server did not answer is confirmed by those that are left', () => {
  const cores = new Cores(['a', 'b']);
  cores.elect('a');
  cores.do('a', (core) => core.read(7, cores.nowMs));
  expect(cores.get('a').state.leadership?.reads.size).toBe(1);
  cores.do('a', (core) => core.changeMembership({ remove: ['b'] }, cores.nowMs));
  // b takes the change and never answers the heartbeat that carried the round.
  cores.deliver(({ kind }) => kind === 'heartbeat' || kind === 'heartbeatResponse');
  const { membership, leadership } = cores.get('a').state;
  expect(membership.latest).toMatchObject({ voters: ['a'], votersOutgoing: [] });
  expect(leadership?.reads.size).toBe(0);
});
