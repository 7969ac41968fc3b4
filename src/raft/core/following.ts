/**
 * What a follower does with its leader's appends, heartbeats and checkpoints (Raft §5.3, §7).
 */
import { assert } from '../../std/assert.ts';
import type { Append, Heartbeat } from './messages.ts';
import type { CoreState } from './state.ts';
import type { CheckpointMeta, LogIndex } from './types.ts';

export function takeAppend(state: CoreState, append: Append): void {
  state.heardFromLeader(append.from);
  if (state.filledAt === Number.POSITIVE_INFINITY) state.filledAt = append.commitIndex;
  // While a checkpoint replaces the log there is nothing to append to; the leader tries again.
  if (state.installing !== undefined) return;
  const { log, commitIndex, rules } = state;
  if (!rules.appendFits(log.termAt(append.prevIndex), append.prevTerm, append.prevIndex, commitIndex)) {
    refuse(state, append);
    return;
  }
  if (!appendNew(state, append)) return;
  const lastSent = append.prevIndex + append.entries.length;
  // What is committed equals the leader's log, even where this message says nothing about it.
  const lastMatched = Math.max(lastSent, commitIndex);
  const commit = rules.followerCommitIndex(append.commitIndex, lastMatched);
  if (commit > state.commitIndex) state.commitTo(Math.min(commit, log.lastIndex));
  acknowledge(state, append.from, rules.acknowledgedIndex(lastMatched, log.lastIndex), append.sentMs);
}

/** Tells the leader that everything up to `matchIndex` is equal and durable, once it is durable. */
function acknowledge(state: CoreState, to: string, matchIndex: LogIndex, sentMs: number): void {
  const { persistence, hardStatePersist } = state;
  const waitsFor = matchIndex <= persistence.durableIndex ? hardStatePersist : persistence.newest;
  persistence.sendAfter(state.rules.acknowledgementWaitsFor(waitsFor), {
    kind: 'appendResponse',
    ...state.signature,
    from: state.id,
    to,
    term: state.term,
    ok: true,
    matchIndex,
    rejectedIndex: 0,
    hintIndex: 0,
    hintTerm: 0,
    sentMs,
  });
}

/** Appends what the log lacks, removing first what contradicts it. False if the message makes no sense. */
function appendNew(state: CoreState, append: Append): boolean {
  const { log } = state;
  const known = Math.max(0, state.commitIndex - append.prevIndex);
  const rest = known === 0 ? append.entries : append.entries.slice(known);
  const offset = state.rules.firstNewEntry(rest, (index) => log.termAt(index));
  const first = rest[offset];
  if (first === undefined) return true;
  const before = log.termAt(first.index - 1);
  if (before === undefined || first.term < before) {
    state.events.push({
      kind: 'badMessage',
      from: append.from,
      reason: `entry ${first.index} does not continue the log`,
    });
    return false;
  }
  if (first.index <= log.lastIndex) state.truncate(first.index);
  for (let i = offset; i < rest.length; i++) state.append(rest[i]!);
  return true;
}

function refuse(state: CoreState, append: Append): void {
  const { log } = state;
  const hintIndex = log.lastIndexWithTermAtMost(Math.min(append.prevIndex, log.lastIndex), append.prevTerm);
  state.send({
    kind: 'appendResponse',
    ...state.signature,
    from: state.id,
    to: append.from,
    term: state.term,
    ok: false,
    matchIndex: 0,
    rejectedIndex: append.prevIndex,
    hintIndex,
    hintTerm: log.termAt(hintIndex) ?? 0,
    sentMs: append.sentMs,
  });
}

export function takeHeartbeat(state: CoreState, heartbeat: Heartbeat): void {
  state.heardFromLeader(heartbeat.from);
  state.leaderLateMs = heartbeat.lateMs ?? 0;
  if (state.installing === undefined && heartbeat.commitIndex > state.commitIndex) {
    state.commitTo(Math.min(heartbeat.commitIndex, state.log.lastIndex));
  }
  const { readRound, sentMs } = heartbeat;
  const envelope = { from: state.id, to: heartbeat.from, term: state.term, ...state.signature } as const;
  state.send({ kind: 'heartbeatResponse', ...envelope, readRound, sentMs });
}

/** A checkpoint has arrived whole: may it replace the state? If so the log takes no entries until `installed`. */
export function beginInstall(state: CoreState, checkpoint: CheckpointMeta): boolean {
  if (state.installing !== undefined || state.role !== 'follower') return false;
  if (!state.rules.mayInstall(checkpoint.index, state.commitIndex)) return false;
  state.installing = checkpoint;
  return true;
}

/** State and log on disk are those of the checkpoint now; entries after it are kept if the log agreed there (Raft §7). */
export function installed(state: CoreState, checkpoint: CheckpointMeta): void {
  assert(state.installing === checkpoint, 'another checkpoint was being installed');
  assert(checkpoint.index > state.commitIndex, 'an installed checkpoint only goes forward');
  state.installing = undefined;
  const { index, term } = checkpoint;
  const configuration = state.rules.configurationAfterInstall(checkpoint.configuration, state.membership.latest);
  if (state.log.termAt(index) === term) {
    state.log.compact(index);
    state.membership.compact(index);
    state.membership.rebase({ index, configuration });
  } else {
    state.log.reset({ index, term });
    state.membership.reset({ index, configuration });
    state.persistence.reset(index);
  }
  state.commitIndex = index;
  state.appliedIndex = index;
  state.events.push({ kind: 'members', configuration: state.membership.latest });
  if (state.leaderId !== '') acknowledge(state, state.leaderId, index, Number.NEGATIVE_INFINITY);
}
