import { hold, type Invariant, majorities } from './invariant.ts';

const name = 'asked-first';
/** The term of a cluster that was just made. */
const firstTerm = 1;

export const askedFirst: Invariant = {
  name,
  source: 'Raft dissertation §9.6; fault catalogue R26, R39, N05',
  says: 'A term begins with a candidate to whom a majority said beforehand that it would vote for it, or whom the leader told to campaign: a server that cannot win disturbs nobody.',
  create: () => {
    /** Who said yes, by candidate and term. */
    const granted = new Map<string, Set<string>>();
    const ordered = new Set<string>();
    const begun = new Set<number>([0, firstTerm]);
    return {
      sent: (message, { id }) => {
        if (message.kind === 'timeoutNow') ordered.add(`${message.to}:${message.term + 1}`);
        if (message.kind !== 'preVoteResponse' || !message.granted) return;
        const key = `${message.to}:${message.term}`;
        granted.set(key, (granted.get(key) ?? new Set()).add(id));
      },
      step: ({ id, state }) => {
        if (state === undefined || begun.has(state.term)) return;
        const { term } = state;
        hold(state.votedFor === id, name, () => `${id} is in term ${term}, in which nobody has campaigned`);
        begun.add(term);
        const yes = granted.get(`${id}:${term}`);
        hold(
          ordered.has(`${id}:${term}`) ||
            majorities(state.membership.latest, (voter) => voter === id || yes?.has(voter) === true),
          name,
          () => `${id} campaigns in term ${term}; only ${[...(yes ?? [])].join(', ') || 'nobody'} had said yes`,
        );
      },
    };
  },
};
