import type { CoreState } from '../../src/raft/core/state.ts';
import { hold, type Invariant, majorities } from './invariant.ts';

const name = 'leaders-step-down';
interface Reign {
  readonly term: number;
  /** Tick at which each other server was last heard, or became a member. */
  readonly heard: Map<string, number>;
}

export const leadersStepDown: Invariant = {
  name,
  source: 'Raft dissertation §6.2 (check-quorum), Raft §6; fault catalogue N05, R40, R42; cockroach #104042',
  says: 'A leader that no majority has answered for `quorumSilenceTicks`, or whose committed configuration has no place for it, leads no more.',
  create: () => {
    const reigns = new Map<string, Reign>();
    const reignOf = (id: string, state: CoreState): Reign => {
      const known = reigns.get(id);
      if (known?.term === state.term) return known;
      const reign: Reign = { term: state.term, heard: new Map() };
      reigns.set(id, reign);
      return reign;
    };
    return {
      started: ({ id }) => void reigns.delete(id),
      received: (message, { id, state }) => {
        if (state?.leadership === undefined || message.term !== state.term) return;
        if (message.kind !== 'appendResponse' && message.kind !== 'heartbeatResponse') return;
        reignOf(id, state).heard.set(message.from, state.tickCount);
      },
      step: ({ id, state }) => {
        if (state?.leadership === undefined) return;
        const { membership, tickCount, commitIndex, settings } = state;
        const { heard } = reignOf(id, state);
        const { latest, latestIndex } = membership;
        const recently = (voter: string): boolean => {
          if (voter === id) return true;
          if (!heard.has(voter)) heard.set(voter, tickCount);
          // Ticks of a rest are counted with the message that ends it, after it was seen here.
          return tickCount - heard.get(voter)! <= settings.quorumSilenceTicks + settings.idleHeartbeatTicks;
        };
        // Every voter is looked at: a new one counts from now.
        const late = [...latest.voters, ...latest.votersOutgoing].filter((voter) => !recently(voter));
        hold(
          majorities(latest, recently),
          name,
          () => `${id} leads, and has not heard from ${late.join(', ')} for long`,
        );
        const place = latest.voters.includes(id) || latest.votersOutgoing.length > 0 || latestIndex > commitIndex;
        hold(place, name, () => `${id} leads, though the configuration of ${latestIndex} has no place for it`);
      },
    };
  },
};
