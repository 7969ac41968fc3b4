import { hold, type Invariant } from './invariant.ts';

const name = 'durable-promises';
export const durablePromises: Invariant = {
  name,
  source: 'Raft §5.2, Figure 2 "updated on stable storage before responding"; nodedb #161, hashicorp/raft #661',
  says: 'A vote, an acknowledgement, and any message of a term leave only when the disk holds what they promise; one vote a term, which the disk never forgets.',
  create: () => {
    const votes = new Map<string, string>();
    return {
      // With another log it is another voter.
      diskReplaced: ({ id }) => {
        for (const key of [...votes.keys()]) if (key.startsWith(`${id}:`)) votes.delete(key);
      },
      sent: (message, { id, mirror }) => {
        const { term, votedFor } = mirror.hardState;
        if (message.kind === 'preVoteRequest' || (message.kind === 'preVoteResponse' && message.granted)) return;
        hold(term >= message.term, name, () => `${id} sends ${message.kind} of term ${message.term}, disk: ${term}`);
        const vote =
          message.kind === 'voteRequest'
            ? id
            : message.kind === 'voteResponse' && message.granted
              ? message.to
              : undefined;
        if (vote !== undefined) {
          const known = votes.get(`${id}:${message.term}`);
          hold(
            known === undefined || known === vote,
            name,
            () => `${id} votes for ${known} and ${vote} in ${message.term}`,
          );
          votes.set(`${id}:${message.term}`, vote);
          hold(term > message.term || votedFor === vote, name, () => `${id} votes for ${vote}, disk: "${votedFor}"`);
        }
        if (message.kind === 'appendResponse' && message.ok) {
          hold(
            mirror.lastIndex >= message.matchIndex,
            name,
            () => `${id} acknowledges ${message.matchIndex}, disk: ${mirror.lastIndex}`,
          );
        }
      },
      hardState: ({ id }, before, now) => {
        hold(now.term >= before.term, name, () => `${id} takes its term back on disk: ${before.term} -> ${now.term}`);
        const kept = now.term > before.term || before.votedFor === '' || now.votedFor === before.votedFor;
        hold(kept, name, () => `${id} forgets on disk that it voted for ${before.votedFor} in term ${before.term}`);
      },
      started: ({ id, state, mirror }) => {
        if (state === undefined) return;
        hold(
          state.term >= mirror.hardState.term,
          name,
          () => `${id} starts in term ${state.term}, disk: ${mirror.hardState.term}`,
        );
      },
    };
  },
};
