/**
 * What a leader does: it appends, sends each follower what it lacks, counts copies, commits (Raft §5.3, §5.4).
 *
 * Sending is not done where something changes but once per batch of inputs, in `flushLeader`: a hundred proposals or answers
 * that arrive together cost one message a follower.
 */

import { isVoter, leaveJoint, logIdOf } from './membership.ts';
import type { AppendResponse, HeartbeatResponse } from './messages.ts';
import type { Progress } from './progress.ts';
import { majority, quorumValue, voterGroups } from './quorum.ts';
import { confirmReads } from './reading.ts';
import type { CoreState, Leadership } from './state.ts';
import { type Entry, entryBytes, type LogIndex, type ServerId, type Term } from './types.ts';

export function leaderTick(state: CoreState, leadership: Leadership): void {
  const { settings } = state;
  const newest = quorumValue(voterGroups(state.membership.latest), (id) =>
    id === state.id ? state.tickCount : (leadership.peers.get(id)?.contactTick ?? Number.NEGATIVE_INFINITY),
  );
  // Check-quorum: nobody may have answered because somebody else leads.
  if (state.rules.quorumIsLost(state.tickCount - newest, settings.quorumSilenceTicks)) {
    state.becomeFollower(state.term, '');
    return;
  }
  const { transfer } = leadership;
  if (transfer !== undefined && state.tickCount - transfer.startedTick >= settings.electionTimeoutTicks) {
    leadership.transfer = undefined;
    state.events.push({ kind: 'transferEnded', succeeded: false, to: transfer.to });
  }
  const { idleHeartbeatTicks, heartbeatTicks } = settings;
  if (state.electionTicks >= (isIdle(state, leadership) ? idleHeartbeatTicks : heartbeatTicks)) {
    state.electionTicks = 0;
    broadcastHeartbeat(state, leadership);
  } else if (leadership.reads.isLate(state.tickCount)) broadcastHeartbeat(state, leadership);
}

/**
 * Nobody has written or read for a while, and all that was written is committed: no lease needs to be renewed, and no commit to be told,
 * within a tick. Followers still hear from it three times in an election timeout.
 */
export function isIdle({ log, commitIndex, tickCount, settings }: CoreState, leadership: Leadership): boolean {
  return (
    tickCount - leadership.usedTick >= settings.idleAfterTicks &&
    commitIndex === log.lastIndex &&
    leadership.reads.size === 0 &&
    leadership.transfer === undefined
  );
}

function broadcastHeartbeat(state: CoreState, leadership: Leadership): void {
  for (const [id, progress] of leadership.peers) sendHeartbeat(state, leadership, id, progress);
}

/**
 * Asks for a read round's confirmation: of each group of voters as few as make a majority, those that answered the newest message.
 * A second follower's answer would only cost it and the leader as much again. One that does not answer is not the newest any more
 * once others were asked.
 */
function askRound(state: CoreState, leadership: Leadership): void {
  const { peers } = leadership;
  const contactMs = (id: ServerId): number => peers.get(id)?.contactMs ?? Number.NEGATIVE_INFINITY;
  const asked = new Set<ServerId>();
  for (const group of voterGroups(state.membership.latest)) {
    const others = group.filter((id) => id !== state.id);
    const needed = majority(group.length) - (group.length - others.length);
    const newestFirst = others.sort((a, b) => contactMs(b) - contactMs(a) || (a < b ? -1 : 1));
    for (const id of newestFirst.slice(0, needed)) asked.add(id);
  }
  for (const id of asked) {
    const progress = peers.get(id);
    if (progress !== undefined) sendHeartbeat(state, leadership, id, progress);
  }
}

function sendHeartbeat(state: CoreState, leadership: Leadership, to: ServerId, progress: Progress): void {
  const commitIndex = state.rules.heartbeatCommitIndex(state.commitIndex, progress.matchIndex);
  progress.toldCommitIndex = Math.max(progress.toldCommitIndex, commitIndex);
  progress.noticeTick = undefined;
  const readRound = leadership.reads.round;
  state.persistence.send({
    kind: 'heartbeat',
    from: state.id,
    to,
    term: state.term,
    commitIndex,
    readRound,
    sentMs: state.nowMs,
    ...(state.lateness.ms === 0 ? {} : { lateMs: state.lateness.ms }),
  });
}

function heard(state: CoreState, progress: Progress, sentMs: number): void {
  progress.contactTick = state.tickCount;
  progress.contactMs = Math.max(progress.contactMs, state.rules.contactSince(sentMs, state.nowMs));
}

/**
 * What is known of the log that answers. Undefined when it is none of ours: of no member, or of a voter who has lost the log that it
 * is a voter with. What that one says does not count, as if it were dead, until it was made a learner (`demote`) and has caught up.
 */
function progressOf(
  state: CoreState,
  leadership: Leadership,
  { from, logId = 0 }: AppendResponse | HeartbeatResponse,
): Progress | undefined {
  const progress = leadership.peers.get(from);
  if (progress === undefined) return undefined;
  const { latest } = state.membership;
  if (isVoter(latest, from) && !state.rules.isSameLog(logIdOf(latest, from), logId)) {
    if (progress.strangeLogId !== logId) state.events.push({ kind: 'logLost', id: from });
    progress.strangeLogId = logId;
    return undefined;
  }
  progress.strangeLogId = undefined;
  if (progress.logId !== logId) progress.becomeAnother(logId);
  return progress;
}

export function takeAppendResponse(state: CoreState, leadership: Leadership, response: AppendResponse): void {
  const progress = progressOf(state, leadership, response);
  if (progress === undefined) return;
  heard(state, progress, response.sentMs);
  if (!response.ok) {
    // One refusal answers for all that left before it: each of a window that came out of order would start the window anew.
    if (response.sentMs < progress.probedSinceMs) return;
    const agreeAt = state.log.lastIndexWithTermAtMost(response.hintIndex, response.hintTerm);
    if (progress.rejected(response.rejectedIndex, agreeAt)) progress.probedSinceMs = state.nowMs;
    return;
  }
  if (response.matchIndex > state.log.lastIndex) {
    state.events.push({ kind: 'badMessage', from: response.from, reason: 'acknowledges more than the log holds' });
    return;
  }
  if (progress.acknowledged(response.matchIndex)) advanceCommit(state, leadership);
  if (progress.state === 'checkpoint' && progress.matchIndex >= state.log.prefix.index) progress.becomeReplicate();
}

export function takeHeartbeatResponse(state: CoreState, leadership: Leadership, response: HeartbeatResponse): void {
  const progress = progressOf(state, leadership, response);
  if (progress === undefined) return;
  heard(state, progress, response.sentMs);
  progress.readRound = Math.max(progress.readRound, response.readRound);
  confirmReads(state, leadership);
  // It lives, and lacks something: if an append was lost, an empty one after it finds the gap. One that left after this
  // heartbeat is probably still on its way, and finds the gap as well.
  if (progress.matchIndex < state.log.lastIndex && (progress.probing || progress.appendSentMs < response.sentMs)) {
    progress.probing = false;
    replicateTo(state, response.from, progress, true);
  }
}

/** Sends what the follower lacks, as far as its window allows. `evenEmpty`: at least one append, to compare the logs. */
function replicateTo(state: CoreState, to: ServerId, progress: Progress, evenEmpty: boolean): void {
  const { log, settings, rules } = state;
  let force = evenEmpty;
  while (progress.mayAppend || (force && progress.state === 'replicate' && !progress.loading)) {
    if (rules.needsCheckpoint(progress.nextIndex, log.prefix.index)) {
      progress.becomeCheckpoint();
      state.checkpointsFor.push(to);
      return;
    }
    const more = progress.nextIndex <= log.lastIndex;
    if (!more && !force && !(progress.state === 'probe' && progress.matchIndex === 0)) return;
    const room = progress.mayAppend;
    const entries = room ? log.slice(progress.nextIndex, settings.appendEntriesMax, settings.appendBytesMax) : [];
    if (entries === undefined) {
      requestLoad(state, to, progress);
      return;
    }
    // Entries that come while appends are on their way gather to one: the follower's disk takes them no sooner apart.
    const isFull = (entries.at(-1)?.index ?? 0) < log.lastIndex;
    if (!force && !isFull && progress.inflightMessages >= settings.partialAppendsMax) return;
    sendAppend(state, to, progress, entries);
    force = false;
    if (entries.length === 0 || progress.state === 'probe') return;
  }
}

function sendAppend(state: CoreState, to: ServerId, progress: Progress, entries: readonly Entry[]): void {
  const prevIndex = progress.nextIndex - 1;
  const last = entries.at(-1)?.index ?? prevIndex;
  progress.sent(
    last,
    entries.reduce((sum, entry) => sum + entryBytes(entry), 0),
  );
  progress.toldCommitIndex = Math.max(progress.toldCommitIndex, Math.min(state.commitIndex, last));
  progress.noticeTick = undefined;
  progress.appendSentMs = state.nowMs;
  state.persistence.send({
    kind: 'append',
    from: state.id,
    to,
    term: state.term,
    prevIndex,
    prevTerm: state.log.termAt(prevIndex) ?? 0,
    entries,
    commitIndex: state.commitIndex,
    sentMs: state.nowMs,
  });
}

/** The first entry that a follower will be sent next; one after the end where there is none. */
export function wantedFrom({ leadership, log }: CoreState): LogIndex {
  let from = log.lastIndex + 1;
  for (const { nextIndex } of leadership?.peers.values() ?? []) from = Math.min(from, nextIndex);
  return from;
}

function requestLoad(state: CoreState, to: ServerId, progress: Progress): void {
  progress.loading = true;
  state.loads.push({
    to,
    term: state.term,
    from: progress.nextIndex,
    upTo: state.log.lastIndex,
    entriesMax: state.settings.appendEntriesMax,
    bytesMax: state.settings.appendBytesMax,
  });
}

/** Entries that were asked from the disk are here. None: they were compacted away in the meantime. */
export function takeLoaded(state: CoreState, to: ServerId, term: Term, from: number, entries: readonly Entry[]): void {
  const progress = state.leadership?.peers.get(to);
  if (progress === undefined || term !== state.term || !progress.loading) return;
  progress.loading = false;
  if (from !== progress.nextIndex || from <= state.log.prefix.index || entries.length === 0) return;
  if (progress.mayAppend) sendAppend(state, to, progress, entries);
}

/** Counts copies: raises the commit index as far as a majority of each voter group has the log on disk. */
export function advanceCommit(state: CoreState, leadership: Leadership): void {
  const { rules, log, persistence, membership } = state;
  const index = rules.replicatedIndex(membership.latest, (id) =>
    id === state.id
      ? rules.ownMatchIndex(log.lastIndex, persistence.durableIndex)
      : (leadership.peers.get(id)?.matchIndex ?? 0),
  );
  if (index <= state.commitIndex || !rules.mayCommitByCounting(log.termAt(index), state.term)) return;
  state.commitTo(index);
  leadership.previousCommitTick = leadership.lastCommitTick;
  leadership.lastCommitTick = state.tickCount;
  leadership.backlog.committed(index);
  if (rules.mayReadAt(log.termAt(index), state.term)) leadership.reads.termCommitted(index);
}

/** After a batch of inputs: finish membership changes, start read rounds, send. */
export function flushLeader(state: CoreState, leadership: Leadership): void {
  if (!finishChange(state, leadership)) return;
  if (leadership.reads.startRound(state.tickCount)) {
    askRound(state, leadership);
    confirmReads(state, leadership);
  }
  for (const [id, progress] of leadership.peers) {
    replicateTo(state, id, progress, false);
    if (mustTellCommit(state, leadership, progress)) sendHeartbeat(state, leadership, id, progress);
  }
  orderTransfer(state, leadership);
}

/**
 * Nothing on its way would tell it of the commit, and the next append is not likely to follow at once: the commit before
 * this one is some ticks old, or the notice has waited for as long as it may.
 */
function mustTellCommit(state: CoreState, leadership: Leadership, progress: Progress): boolean {
  const tell = Math.min(state.commitIndex, progress.matchIndex);
  if (progress.toldCommitIndex >= tell || progress.inflightMessages > 0) return false;
  const { commitNoticeTicks } = state.settings;
  if (state.tickCount - leadership.previousCommitTick > commitNoticeTicks) return true;
  progress.noticeTick ??= state.tickCount + commitNoticeTicks;
  return state.tickCount >= progress.noticeTick;
}

/** Leaves a committed joint configuration; steps down when a committed one has no place for this leader. False: it did. */
function finishChange(state: CoreState, leadership: Leadership): boolean {
  const { membership, rules } = state;
  if (rules.mayLeaveJoint(membership.latest, membership.latestIndex, state.commitIndex)) {
    const configuration = leaveJoint(membership.latest);
    const index = state.log.lastIndex + 1;
    state.appendOwn({ kind: 'configuration', index, term: state.term, configuration });
    advanceCommit(state, leadership);
    // Those whose answer a read round waits for may no longer count, and nobody else is going to answer (seed 1795513622987).
    confirmReads(state, leadership);
    return true;
  }
  const { latest, latestIndex } = membership;
  const { commitIndex, id: self } = state;
  if (!rules.leaderMustGo({ configuration: latest, configurationIndex: latestIndex, commitIndex, self })) return true;
  // It tells the others, and goes.
  broadcastHeartbeat(state, leadership);
  const heir = [...leadership.peers]
    .filter(([id]) => latest.voters.includes(id))
    .sort(([a, p], [b, q]) => q.matchIndex - p.matchIndex || (a < b ? -1 : 1))[0];
  if (heir !== undefined) {
    state.persistence.send({ kind: 'timeoutNow', from: state.id, to: heir[0], term: state.term });
  }
  state.becomeFollower(state.term, '');
  return false;
}

function orderTransfer(state: CoreState, leadership: Leadership): void {
  const { transfer } = leadership;
  if (transfer === undefined || transfer.ordered) return;
  const progress = leadership.peers.get(transfer.to);
  if (progress === undefined || !state.rules.mayOrderTransfer(progress.matchIndex, state.log.lastIndex)) return;
  // The lease is void before the order leaves: its target campaigns without waiting for it.
  leadership.transferOrdered = true;
  transfer.ordered = true;
  state.persistence.send({ kind: 'timeoutNow', from: state.id, to: transfer.to, term: state.term });
}
