import { CommittedLog } from './committed.ts';
import { hold, type Invariant } from './invariant.ts';

const name = 'commit-agreement';
export const commitAgreement: Invariant = {
  name,
  source: 'Raft §5.4, state machine safety',
  says: 'No two servers ever consider different entries committed at one index.',
  create: () => {
    const committed = new CommittedLog();
    return {
      started: ({ id }) => committed.restarted(id),
      step: (server) =>
        committed.follow(server, (index, term) => {
          const known = committed.terms.get(index);
          hold(
            known === undefined || known === term,
            name,
            () => `${server.id} commits ${index} of term ${term}, others of term ${known}`,
          );
        }),
    };
  },
};
