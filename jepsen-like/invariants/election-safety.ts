import { hold, type Invariant, majorities } from './invariant.ts';

const name = 'election-safety';
export const electionSafety: Invariant = {
  name,
  source: 'Raft §5.2, Figure 3',
  says: 'At most one server leads in a term, over all servers and all time, and only with votes of its own configuration.',
  create: () => {
    const leaders = new Map<number, string>();
    /** Who voted, by candidate and term. */
    const votes = new Map<string, Set<string>>();
    return {
      sent: (message, { id }) => {
        if (message.kind !== 'voteResponse' || !message.granted) return;
        const key = `${message.to}:${message.term}`;
        votes.set(key, (votes.get(key) ?? new Set()).add(id));
      },
      step: ({ id, state }) => {
        if (state?.leadership === undefined) return;
        const other = leaders.get(state.term);
        hold(other === undefined || other === id, name, () => `${other} and ${id} both lead in term ${state.term}`);
        if (other !== undefined) return;
        leaders.set(state.term, id);
        const from = votes.get(`${id}:${state.term}`);
        const configuration = state.membership.at(state.leadership.firstIndex);
        const won = majorities(configuration, (voter) => voter === id || from?.has(voter) === true);
        hold(won, name, () => `${id} leads in term ${state.term} by the votes of ${[id, ...(from ?? [])].join(', ')}`);
      },
    };
  },
};
