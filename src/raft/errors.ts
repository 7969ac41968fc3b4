/**
 * Every expected error that leaves this room. For each: when, what state is left, whether it is certain, whether to retry.
 */
import { HeddleError } from '../std/errors.ts';

export const raftErrorCodes = {
  /** This server is not the leader. Certain: nothing was appended. Retry at `fields.leaderId`, or later if it is absent. */
  notLeader: 'this server is not the leader',
  /** Too many bytes wait for their commit. Certain: nothing was appended. Retry after a pause (503 with Retry-After). */
  overloaded: 'too many proposals wait for their commit',
  /** Leadership is being handed over. Certain: nothing was appended. Retry at the next leader. */
  transferring: 'leadership is being transferred',
  /** Leadership ended while the proposal was in the log. UNKNOWN: it may still be committed by the next leader. */
  leadershipLost: 'leadership was lost while the proposal was in flight',
  /** The server is stopping or has stopped. UNKNOWN for a proposal that was in flight, certain for a later call. */
  stopped: 'the server has stopped',
  /** The payload is larger than `proposalBytesMax`. Certain. Do not retry. */
  tooLarge: 'the proposal is too large',
  /** Another membership change is not committed yet, or this term has no committed entry yet. Certain. Retry later. */
  changeInProgress: 'another membership change is in progress',
  /** The requested membership makes no sense (unknown server, no voters left, no majority that answers…). Certain. Do not retry. */
  invalidChange: 'the membership change is not valid',
  /** A learner is too far behind, or was silent for an election timeout. Certain. Retry when it has caught up and answers. */
  notCaughtUp: 'the learner has not caught up, or is silent',
  /** The transfer did not end within one election timeout; this server leads on. Certain. Retry, or name another target. */
  transferFailed: 'the leadership transfer did not complete',
  /** A record of the log does not match its checksum, its index or its chain. The server must not vote; it stops. */
  logCorrupt: 'the log is corrupt',
  /** The state machine has applied entries that the log never held: the log was lost or replaced. The server must not vote. */
  logBehindState: 'the log ends before the state it produced',
  /** The state machine is older than the first log entry, and no checkpoint bridges the gap. */
  stateBehindLog: 'the log starts after the state ends',
  /** A write or an fsync failed. What reached the disk is unknown: the server is latched shut and must be restarted. */
  storageFailed: 'a write to the log failed',
  /** The state machine threw. The server stops rather than diverge. */
  stateMachineFailed: 'the state machine failed',
  /** A peer sent something that does not decode, or belongs to another cluster. State is untouched. */
  badPeer: 'a peer sent something that cannot be accepted',
  /** Options contradict each other. */
  badOptions: 'the options are not valid',
} as const;

export type RaftErrorCode = keyof typeof raftErrorCodes;

export class RaftError extends HeddleError<RaftErrorCode> {
  constructor(code: RaftErrorCode, fields: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    const detail = typeof fields.detail === 'string' ? `: ${fields.detail}` : '';
    super(code, `raft: ${raftErrorCodes[code]}${detail}`, fields, options);
  }
}
