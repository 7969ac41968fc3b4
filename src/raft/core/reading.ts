/** Linearizable reads on the leader: at once under a lease, else confirmed by a round of heartbeats. */
import type { CoreState, Leadership } from './state.ts';

export function leaseIsValid(state: CoreState, leadership: Leadership): boolean {
  const { leaseMs, leaseDriftMargin } = state.settings;
  return (
    state.rules.mayReadAt(state.log.termAt(state.commitIndex), state.term) &&
    state.rules.leaseIsValid({
      contactMs: state.leaseContactMs(),
      nowMs: state.nowMs,
      leaseMs,
      driftMargin: leaseDriftMargin,
      transferOrdered: leadership.transferOrdered,
      clockStoodMs: state.clockStoodMs,
    })
  );
}

/** `id` comes back in `readsReady` or `readsFailed`. */
export function read(state: CoreState, leadership: Leadership, id: number): void {
  leadership.usedTick = state.tickCount;
  if (state.rules.mayReadAt(state.log.termAt(state.commitIndex), state.term)) {
    leadership.reads.add(id, state.commitIndex);
  } else {
    leadership.reads.addEarly(id);
  }
}

export function confirmReads(state: CoreState, leadership: Leadership): void {
  const { reads, peers } = leadership;
  const confirmed = state.rules.confirmedRound(state.membership.latest, (id) =>
    id === state.id ? reads.round : (peers.get(id)?.readRound ?? 0),
  );
  state.readsReady.push(...reads.confirm(confirmed));
}
