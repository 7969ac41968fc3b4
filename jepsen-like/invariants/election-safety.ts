import { hold, type Invariant } from './invariant.ts';

const name = 'election-safety';
export const electionSafety: Invariant = {
  name,
  source: 'Raft §5.2, Figure 3',
  says: 'At most one server leads in a term, over all servers and all time, and only with votes of its own configuration.',
  create: () => {
    const leaders = new Map<number, string>();
    return {
      step: ({ id, state }) => {
        if (state?.leadership === undefined) return;
        const other = leaders.get(state.term);
        hold(other === undefined || other === id, name, () => `${other} and ${id} both lead in term ${state.term}`);
        leaders.set(state.term, id);
      },
    };
  },
};
