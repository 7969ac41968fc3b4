import { hold, type Invariant } from './invariant.ts';

const name = 'proposed-once';
export const proposedOnce: Invariant = {
  name,
  source: 'Raft §8; fault catalogue W15',
  says: 'What a client proposed once is in the log once: nobody proposes it again while its outcome is unknown.',
  create: () => {
    const at = new Map<number, number>();
    return {
      applied: (_server, index, _term, commandId) => {
        const known = at.get(commandId);
        hold(known === undefined || known === index, name, () => `command ${commandId} is at ${known} and at ${index}`);
        at.set(commandId, index);
      },
    };
  },
};
