/**
 * A peer is authenticated, but may be broken or of another version. What could trip an assertion further in is checked here,
 * so that no packet can stop a server. Returns the reason for refusal.
 */
import type { Append, Message } from './messages.ts';
import type { CheckpointMeta } from './types.ts';

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

export function invalidMessage(message: Message): string | undefined {
  if (!isCount(message.term) || message.term === 0) return 'term is not a positive integer';
  if (message.from === '') return 'no sender';
  switch (message.kind) {
    case 'append':
      return invalidAppend(message);
    case 'appendResponse':
      return [message.matchIndex, message.rejectedIndex, message.hintIndex, message.hintTerm].every(isCount)
        ? undefined
        : 'an index or term is not a count';
    case 'preVoteRequest':
    case 'voteRequest':
      return isCount(message.lastIndex) && isCount(message.lastTerm) ? undefined : 'the last position is not valid';
    case 'heartbeat':
      return [message.commitIndex, message.readRound, message.lateMs ?? 0].every(isCount)
        ? undefined
        : 'commit, round or lateness is not a count';
    case 'heartbeatResponse':
      return isCount(message.readRound) ? undefined : 'round is not a count';
    default:
      return undefined;
  }
}

function invalidAppend(message: Append): string | undefined {
  if (!isCount(message.prevIndex) || !isCount(message.prevTerm) || !isCount(message.commitIndex)) {
    return 'prev or commit is not a count';
  }
  if ((message.prevIndex === 0) !== (message.prevTerm === 0)) return 'only the empty prefix has term 0';
  let index = message.prevIndex;
  let term = message.prevTerm;
  for (const entry of message.entries) {
    if (entry.index !== index + 1) return `entry ${entry.index} follows ${index}`;
    if (!isCount(entry.term) || entry.term < term || entry.term > message.term) return `entry term ${entry.term}`;
    index = entry.index;
    term = entry.term;
  }
  return undefined;
}

export function invalidCheckpoint(meta: CheckpointMeta): string | undefined {
  if (!isCount(meta.index) || meta.index === 0 || !isCount(meta.term) || meta.term === 0)
    return 'position is not valid';
  if (!isCount(meta.sizeBytes)) return 'size is not a count';
  if (meta.configuration.voters.length === 0) return 'it carries no configuration';
  return undefined;
}
