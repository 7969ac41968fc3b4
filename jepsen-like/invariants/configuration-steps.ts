import type { Configuration } from '../../src/raft/index.ts';
import { hold, type Invariant } from './invariant.ts';

const name = 'configuration-steps';
const same = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join();

function follows(before: Configuration, next: Configuration): boolean {
  // The same again is no change: a checkpoint taken in a joint configuration becomes the base of a log under a later index.
  if (same(before.voters, next.voters) && same(before.votersOutgoing, next.votersOutgoing)) return true;
  if (before.votersOutgoing.length > 0) return next.votersOutgoing.length === 0 && same(before.voters, next.voters);
  return next.votersOutgoing.length === 0 ? same(before.voters, next.voters) : same(before.voters, next.votersOutgoing);
}

export const configurationSteps: Invariant = {
  name,
  source: 'Raft §6; Ongaro, raft-dev 2015; camunda #60086',
  says: 'Voters change only through a joint configuration, one change at a time, in every log.',
  create: () => {
    const seen = new Map<string, readonly { index: number; configuration: Configuration }[]>();
    return {
      step: ({ id, state }) => {
        if (state === undefined) return;
        const { latestIndex, latest } = state.membership;
        const history = seen.get(id) ?? [];
        const last = history.at(-1);
        if (last?.index === latestIndex) return;
        const kept = history.filter(({ index }) => index < latestIndex);
        const before = kept.at(-1);
        const adjacent = before !== undefined && state.membership.at(latestIndex - 1) === before.configuration;
        if (adjacent && before.configuration.voters.length > 0) {
          hold(
            follows(before.configuration, latest),
            name,
            () => `${id}: ${JSON.stringify(before.configuration)} then ${JSON.stringify(latest)}`,
          );
        }
        seen.set(id, [...kept.slice(-8), { index: latestIndex, configuration: latest }]);
      },
      started: ({ id }) => void seen.delete(id),
    };
  },
};
