import { hold, type Invariant } from './invariant.ts';

const name = 'monotonic-indexes';
export const monotonicIndexes: Invariant = {
  name,
  source: 'Raft Figure 2; fault catalogue C08',
  says: 'Term, commit and applied index of a running server never fall, applied never passes commit, nothing is applied that its own log has not durably held.',
  create: () => {
    const last = new Map<string, { term: number; commit: number; applied: number }>();
    return {
      started: ({ id }) => void last.delete(id),
      step: ({ id, state, machineIndex }) => {
        if (state === undefined) return;
        const before = last.get(id) ?? { term: 0, commit: 0, applied: 0 };
        const now = { term: state.term, commit: state.commitIndex, applied: state.appliedIndex };
        hold(now.term >= before.term, name, () => `${id}: term ${before.term} -> ${now.term}`);
        hold(now.commit >= before.commit, name, () => `${id}: commit ${before.commit} -> ${now.commit}`);
        hold(now.applied >= before.applied, name, () => `${id}: applied ${before.applied} -> ${now.applied}`);
        hold(now.applied <= now.commit, name, () => `${id}: applied ${now.applied} > commit ${now.commit}`);
        if (state.installing === undefined) {
          hold(
            machineIndex <= state.appliedIndex,
            name,
            () => `${id}: state ${machineIndex} > applied ${state.appliedIndex}`,
          );
        }
        last.set(id, now);
      },
    };
  },
};
