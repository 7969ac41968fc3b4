/**
 * How long a server may sleep. Most ticks find nothing to do, and waking for each costs a core more than all the rest of an idle server.
 * So the driver asks how many of the next ticks only count, and wakes for the last of them; what happens in between wakes it anyway, and
 * has the ticks that passed counted first (`ticks.ts`).
 */
import { isIdle } from './replication.ts';
import type { CoreState } from './state.ts';

/** How many ticks may be counted as one, from the last one on: at least 1. */
export function restTicks(state: CoreState): number {
  const { leadership, settings, electionTicks } = state;
  if (leadership !== undefined) {
    return isIdle(state, leadership) ? Math.max(1, settings.idleHeartbeatTicks - electionTicks) : 1;
  }
  // One that asks around, or is about to, has timers of single ticks.
  if (state.role !== 'follower' || state.lostContact !== undefined) return 1;
  // While the leader lives its heartbeats come first, and this server is not woken by its own timer at all.
  const heardAgain = settings.idleHeartbeatTicks + settings.heartbeatTicks;
  return Math.max(1, Math.min(heardAgain, state.electionTimeoutTicks - 1 - electionTicks));
}
