/** What `heddle info` prints of the servers of a cluster. */
import { expect, it } from 'vitest';
import { shownConfiguration } from '../../src/agent/server-stats.ts';

it('shows voters, then servers that only learn, with their addresses', () => {
  const addresses = { a: '10.0.0.1:8300', b: '10.0.0.2:8300', c: '10.0.0.3:8300' };
  const shown = shownConfiguration({ voters: ['a', 'b'], votersOutgoing: [], learners: ['c'], addresses });
  expect(shown).toBe(
    '[{Suffrage:Voter ID:a Address:10.0.0.1:8300} {Suffrage:Voter ID:b Address:10.0.0.2:8300} ' +
      '{Suffrage:Nonvoter ID:c Address:10.0.0.3:8300}]',
  );
  expect(shownConfiguration({ voters: [], votersOutgoing: [], learners: [], addresses: {} })).toBe('[]');
});
