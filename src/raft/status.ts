/** What a server says of itself, for people and for operators' tools. */
import type { RaftCore } from './core/core.ts';
import type { RaftStatus } from './raft.ts';

export function statusOf(
  core: RaftCore,
  nowMs: number,
  checkpointIndex: number,
  pending: { readonly proposals: number; readonly reads: number },
  failure: Error | undefined,
): RaftStatus {
  const { state } = core;
  const { leadership, log, membership } = state;
  return {
    id: state.id,
    role: state.role,
    term: state.term,
    leaderId: state.leaderId === '' ? undefined : state.leaderId,
    commitIndex: state.commitIndex,
    appliedIndex: state.appliedIndex,
    lastLogIndex: log.lastIndex,
    lastLogTerm: log.lastTerm,
    prefixIndex: log.prefix.index,
    durableIndex: state.persistence.durableIndex,
    checkpointIndex,
    lastContactMs: leadership !== undefined ? 0 : state.isFilling ? Number.POSITIVE_INFINITY : nowMs - state.contactMs,
    configuration: membership.latest,
    configurationIndex: membership.latestIndex,
    peers: [...(leadership?.peers ?? [])].map(([id, progress]) => ({
      id,
      matchIndex: progress.matchIndex,
      nextIndex: progress.nextIndex,
      state: progress.state,
      logLost: progress.strangeLogId !== undefined,
      lastContactMs: nowMs - progress.contactMs,
      inflightMessages: progress.inflightMessages,
      inflightBytes: progress.inflightBytes,
    })),
    uncommittedBytes: leadership?.backlog.bytes ?? 0,
    pendingProposals: pending.proposals,
    pendingReads: pending.reads,
    leaseValid: core.leaseIsValid(nowMs),
    failure,
  };
}
