import { hold, type Invariant } from './invariant.ts';

const name = 'leader-append-only';
export const leaderAppendOnly: Invariant = {
  name,
  source: 'Raft §5.3, Figure 3; hashicorp/raft #695',
  says: 'A leader never removes or replaces entries of its log while it leads.',
  create: () => {
    const last = new Map<string, { term: number; lastIndex: number }>();
    return {
      step: ({ id, state }) => {
        if (state?.leadership === undefined) return void last.delete(id);
        const before = last.get(id);
        const { term } = state;
        const { lastIndex } = state.log;
        if (before?.term === term) {
          hold(lastIndex >= before.lastIndex, name, () => `${id} shrank from ${before.lastIndex} to ${lastIndex}`);
        }
        last.set(id, { term, lastIndex });
      },
    };
  },
};
