import { hold, type Invariant } from './invariant.ts';

const name = 'acknowledged-writes';
export const acknowledgedWrites: Invariant = {
  name,
  source: 'Raft §8; fault catalogue C09, W18',
  says: 'An acknowledged write is at the index it was acknowledged with, on every server that applies it.',
  create: () => {
    const at = new Map<number, number>();
    const promised = new Map<number, number>();
    return {
      applied: (_server, index, _term, commandId) => {
        const known = at.get(index);
        hold(
          known === undefined || known === commandId,
          name,
          () => `command ${commandId} at ${index}, elsewhere ${known}`,
        );
        at.set(index, commandId);
        const wanted = promised.get(index);
        hold(
          wanted === undefined || wanted === commandId,
          name,
          () => `index ${index} was acknowledged for ${wanted}, holds ${commandId}`,
        );
      },
      acknowledged: (commandId, index) => {
        hold(
          at.get(index) === commandId,
          name,
          () => `${commandId} acknowledged at ${index}, which holds ${at.get(index)}`,
        );
        promised.set(index, commandId);
      },
    };
  },
};
