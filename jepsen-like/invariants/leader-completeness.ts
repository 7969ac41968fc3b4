import { CommittedLog } from './committed.ts';
import { hold, type Invariant } from './invariant.ts';

const name = 'leader-completeness';
export const leaderCompleteness: Invariant = {
  name,
  source: 'Raft §5.4, Figure 3',
  says: 'An entry committed in a term is in the log of every leader of a later term.',
  create: () => {
    const committed = new CommittedLog();
    const checked = new Map<string, number>();
    return {
      started: ({ id }) => committed.restarted(id),
      step: (server) => {
        committed.follow(server, () => {});
        const { state, id } = server;
        if (state?.leadership === undefined || checked.get(id) === state.term) return;
        checked.set(id, state.term);
        const term = committed.terms.get(committed.last);
        // A leader of an earlier term that hears of its election late is no later leader.
        if (term === undefined || term > state.term) return;
        const own = committed.last <= state.log.prefix.index ? term : state.log.termAt(committed.last);
        hold(
          own === term,
          name,
          () => `${id} leads term ${state.term} without committed entry ${committed.last} of term ${term}`,
        );
      },
    };
  },
};
