/**
 * The rules that safety hangs on, one function each, with the place it comes from. The step functions ask these and decide
 * nothing of the kind themselves, so that a reader can check the whole list on one page, and so that the simulation can put
 * a wrong one in its place and prove that it would notice (`jepsen-like/mutations/`).
 */
import { majority, quorumValue, type VoteResult, voteResult, voterGroups } from './quorum.ts';
import type { Configuration, Entry, LogId, LogIndex, LogPosition, ServerId, Term } from './types.ts';

export interface Rules {
  /** Raft §5.4.1: the candidate's log is at least as up to date: later last term, or same term and not shorter. */
  logIsUpToDate(candidate: LogPosition, own: LogPosition): boolean;
  /** Raft §5.2: one vote a term, first come first served; the same candidate may ask again. */
  voteIsFree(votedFor: ServerId | '', candidate: ServerId): boolean;
  /**
   * Dissertation §6.4.1: while a leader may hold a lease that counts on this server, its vote is not free. `lostContact`:
   * the connection to the leader broke, so it is probably dead; then only the lease is waited for, not the full timeout.
   */
  voterMustWait(voter: {
    readonly sinceContactMs: number;
    readonly sinceStartMs: number;
    readonly leaseMs: number;
    readonly electionTimeoutMs: number;
    readonly lostContact: boolean;
  }): boolean;
  /**
   * Dissertation §4.2.2: a voter may campaign, of the latest configuration or of the one in force at the commit index. The second
   * matters: s2 leads {s2, s3}, is removed, appends the final {s3} and is cut off before s3 has it. s3 still needs the vote of s2, and
   * s2, whose log is longer, refuses it; only s2 can win, though its own log says that it is no member any more.
   */
  mayCampaign(latest: Configuration, committed: Configuration, self: ServerId): boolean;
  /**
   * Raft §5.1 (votes, terms and logs survive on stable storage): a voter whose log is another than the one that the configuration knows
   * is no voter. {s1, s2, s3}: s1 and s2 have the committed entry 9; the disk of s2 is replaced. Would s2, empty, vote for s3, which
   * has no entry 9, then the two would lead without it.
   */
  isSameLog(known: LogId, answering: LogId): boolean;
  /** Raft §5.2, §6: a majority of each group of voters; nobody else's answer counts. */
  electionResult(configuration: Configuration, votes: ReadonlyMap<ServerId, boolean>): VoteResult;
  /** Dissertation §9.6: whoever could not win does not campaign, so that it raises no term. */
  preVoteResult(configuration: Configuration, votes: ReadonlyMap<ServerId, boolean>): VoteResult;
  /** Dissertation §6.2: a leader that a majority has not answered for so long may have been replaced, and steps down. */
  quorumIsLost(silentTicks: number, quorumSilenceTicks: number): boolean;
  /** Raft §5.3: an entry is a candidate for commitment when a majority of each group has it on disk. */
  replicatedIndex(configuration: Configuration, matchIndex: (id: ServerId) => number): number;
  /** Raft §5.4.2, Figure 8: counting copies commits only entries of the current term; older ones follow from it. */
  mayCommitByCounting(entryTerm: Term | undefined, currentTerm: Term): boolean;
  /** The leader is one of its own voters: its copy counts when its own disk has it, not when it was appended. */
  ownMatchIndex(lastIndex: LogIndex, durableIndex: LogIndex): LogIndex;
  /** Which persist must have finished before a vote may leave (0 = none). */
  voteWaitsFor(newestPersist: number): number;
  /** Which persist must have finished before entries may be acknowledged (0 = none). */
  acknowledgementWaitsFor(newestPersist: number): number;
  /** Up to where a persist that was started before a truncation at `from` still tells something about the log. */
  persistReachesAfterTruncation(reaches: LogIndex, from: LogIndex): LogIndex;
  /** Raft §5.3: the follower's log agrees with the leader's at `prev`. `own` is undefined where there is no entry. */
  appendFits(own: Term | undefined, prevTerm: Term, prevIndex: LogIndex, commitIndex: LogIndex): boolean;
  /**
   * Raft §5.3 rule 3: the first entry that differs from the log, from which both logs part. A log that merely goes on
   * longer is no conflict: the message may be an old one (dissertation §3.5). Returns an offset in `entries`.
   */
  firstNewEntry(entries: readonly Entry[], termAt: (index: LogIndex) => Term | undefined): number;
  /** What a follower may say that it has: the part of its log that was compared; what lies behind may be of another leader. */
  acknowledgedIndex(lastMatched: LogIndex, lastIndex: LogIndex): LogIndex;
  /** Raft Figure 2: a follower may believe a commit index only as far as it knows its log to agree. */
  followerCommitIndex(leaderCommit: LogIndex, lastMatched: LogIndex): LogIndex;
  /** A heartbeat compares no logs: it may tell a commit index only up to what the follower is known to hold. */
  heartbeatCommitIndex(commitIndex: LogIndex, matchIndex: LogIndex): LogIndex;
  /** The leader needs to know what precedes an append; below its log it must send a checkpoint. */
  needsCheckpoint(nextIndex: LogIndex, prefixIndex: LogIndex): boolean;
  /** Ongaro, raft-dev 2015: no change before an entry of the own term is committed, none while another is under way. */
  mayChangeConfiguration(view: {
    readonly configuration: Configuration;
    readonly configurationIndex: LogIndex;
    readonly commitIndex: LogIndex;
    readonly ownTermCommitted: boolean;
  }): boolean;
  /** Raft §6: the joint configuration is left only once it is committed. */
  mayLeaveJoint(configuration: Configuration, configurationIndex: LogIndex, commitIndex: LogIndex): boolean;
  /** Raft §6: a leader without a place in the new configuration leads until that is committed, and no longer. */
  leaderMustGo(view: {
    readonly configuration: Configuration;
    readonly configurationIndex: LogIndex;
    readonly commitIndex: LogIndex;
    readonly self: ServerId;
  }): boolean;
  /** Dissertation §3.10: only who has the whole log is told to campaign at once. */
  mayOrderTransfer(matchIndex: LogIndex, lastIndex: LogIndex): boolean;
  /** Raft §6: a change of voters passes through both majorities. */
  joint(outgoing: readonly ServerId[]): readonly ServerId[];
  /** Raft §6.4 (dissertation): a read needs a committed entry of the own term, else the commit index may be stale. */
  mayReadAt(termAtCommit: Term | undefined, currentTerm: Term): boolean;
  /** The newest read round that a majority has confirmed. A leader that is a voter confirms its own. */
  confirmedRound(configuration: Configuration, roundOf: (id: ServerId) => number): number;
  /** From when a contact counts for the lease: from when the question left, for its answer may have been on its way for long. */
  contactSince(sentMs: number, nowMs: number): number;
  /** After which moment a majority of each group is known to have had contact. */
  leaseContact(configuration: Configuration, contactMsOf: (id: ServerId) => number): number;
  /**
   * The lease: a majority had contact after `contactMs` (own clock, when the message *left*), so none of them votes before
   * `contactMs + leaseMs` on their clocks, which may run faster. Void for the rest of a term once a transfer was ordered, and
   * until the next contact when the own clock stood while others' went on (a suspended machine).
   */
  leaseIsValid(lease: {
    readonly contactMs: number;
    readonly nowMs: number;
    readonly leaseMs: number;
    readonly driftMargin: number;
    readonly transferOrdered: boolean;
    /** Own clock, when it was last noticed that it had stood. */
    readonly clockStoodMs: number;
  }): boolean;
  /** The configuration that comes with an installed checkpoint, not one from leftovers of the old log (scylladb #9551). */
  configurationAfterInstall(fromCheckpoint: Configuration, before: Configuration): Configuration;
  /** Installing may only go forward. */
  mayInstall(checkpointIndex: LogIndex, commitIndex: LogIndex): boolean;
  /** The log keeps what no durable checkpoint covers. `lastIndex` is the end of the log. */
  truncationLimit(durableCheckpoint: LogIndex, appliedIndex: LogIndex): LogIndex;
  /** Entries reach the state machine when committed and on this server's own disk, so that its log never lags its state. */
  applyLimit(commitIndex: LogIndex, durableIndex: LogIndex): LogIndex;
  /** A message from an earlier term says nothing (Raft §5.1). */
  isStale(messageTerm: Term, currentTerm: Term): boolean;
}

export const rules: Rules = {
  logIsUpToDate: (candidate, own) =>
    candidate.term > own.term || (candidate.term === own.term && candidate.index >= own.index),
  voteIsFree: (votedFor, candidate) => votedFor === '' || votedFor === candidate,
  voterMustWait: ({ sinceContactMs, sinceStartMs, leaseMs, electionTimeoutMs, lostContact }) =>
    sinceStartMs < leaseMs || sinceContactMs < (lostContact ? leaseMs : electionTimeoutMs),
  mayCampaign: (latest, committed, self) =>
    [latest, committed].some(({ voters, votersOutgoing }) => voters.includes(self) || votersOutgoing.includes(self)),
  isSameLog: (known, answering) => known === answering,
  electionResult: (configuration, votes) => voteResult(voterGroups(configuration), votes),
  preVoteResult: (configuration, votes) => voteResult(voterGroups(configuration), votes),
  quorumIsLost: (silentTicks, quorumSilenceTicks) => silentTicks >= quorumSilenceTicks,
  replicatedIndex: (configuration, matchIndex) => quorumValue(voterGroups(configuration), matchIndex, majority),
  mayCommitByCounting: (entryTerm, currentTerm) => entryTerm === currentTerm,
  ownMatchIndex: (_lastIndex, durableIndex) => durableIndex,
  voteWaitsFor: (newestPersist) => newestPersist,
  acknowledgementWaitsFor: (newestPersist) => newestPersist,
  persistReachesAfterTruncation: (reaches, from) => Math.min(reaches, from - 1),
  appendFits: (own, prevTerm, prevIndex, commitIndex) => prevIndex <= commitIndex || own === prevTerm,
  firstNewEntry: (entries, termAt) => {
    let offset = 0;
    while (offset < entries.length && termAt(entries[offset]!.index) === entries[offset]!.term) offset++;
    return offset;
  },
  acknowledgedIndex: (lastMatched) => lastMatched,
  followerCommitIndex: (leaderCommit, lastMatched) => Math.min(leaderCommit, lastMatched),
  heartbeatCommitIndex: (commitIndex, matchIndex) => Math.min(commitIndex, matchIndex),
  needsCheckpoint: (nextIndex, prefixIndex) => nextIndex <= prefixIndex,
  mayChangeConfiguration: ({ configuration, configurationIndex, commitIndex, ownTermCommitted }) =>
    ownTermCommitted && configurationIndex <= commitIndex && configuration.votersOutgoing.length === 0,
  mayLeaveJoint: (configuration, configurationIndex, commitIndex) =>
    configuration.votersOutgoing.length > 0 && configurationIndex <= commitIndex,
  leaderMustGo: ({ configuration, configurationIndex, commitIndex, self }) =>
    !configuration.voters.includes(self) &&
    configuration.votersOutgoing.length === 0 &&
    configurationIndex <= commitIndex,
  mayOrderTransfer: (matchIndex, lastIndex) => matchIndex === lastIndex,
  joint: (outgoing) => outgoing,
  mayReadAt: (termAtCommit, currentTerm) => termAtCommit === currentTerm,
  confirmedRound: (configuration, roundOf) => quorumValue(voterGroups(configuration), roundOf, majority),
  contactSince: (sentMs) => sentMs,
  leaseContact: (configuration, contactMsOf) => quorumValue(voterGroups(configuration), contactMsOf),
  leaseIsValid: ({ contactMs, nowMs, leaseMs, driftMargin, transferOrdered, clockStoodMs }) =>
    !transferOrdered && contactMs > clockStoodMs && nowMs - contactMs < leaseMs * (1 - driftMargin),
  configurationAfterInstall: (fromCheckpoint) => fromCheckpoint,
  mayInstall: (checkpointIndex, commitIndex) => checkpointIndex > commitIndex,
  truncationLimit: (durableCheckpoint, appliedIndex) => Math.min(durableCheckpoint, appliedIndex),
  applyLimit: (commitIndex, durableIndex) => Math.min(commitIndex, durableIndex),
  isStale: (messageTerm, currentTerm) => messageTerm < currentTerm,
};
