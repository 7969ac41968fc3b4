/**
 * What servers say to each other. One kind a fact; the role tables name, for each role, what each kind means there.
 *
 * `sentMs` is the sender's own monotonic clock and only comes back to it: a leader learns from an answer that its follower
 * had contact *after* that moment, which is what a lease needs, without comparing two clocks.
 */
import type { CheckpointMeta, Entry, LogId, LogIndex, ServerId, Term } from './types.ts';

interface Envelope {
  readonly from: ServerId;
  readonly to: ServerId;
  /** The sender's term; in a pre-vote the term it would campaign in. */
  readonly term: Term;
}

/** Every answer says which log speaks; absent: 0. */
interface Answer extends Envelope {
  readonly logId?: LogId;
}

/** "Would you vote for me?" (Raft dissertation §9.6). Changes nothing at the receiver. */
export interface PreVoteRequest extends Envelope {
  readonly kind: 'preVoteRequest';
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}
export interface PreVoteResponse extends Answer {
  readonly kind: 'preVoteResponse';
  readonly granted: boolean;
}
export interface VoteRequest extends Envelope {
  readonly kind: 'voteRequest';
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** The leader itself asked for this election (leadership transfer): its lease is void, voters need not wait. */
  readonly transfer: boolean;
}
export interface VoteResponse extends Answer {
  readonly kind: 'voteResponse';
  readonly granted: boolean;
}
export interface Append extends Envelope {
  readonly kind: 'append';
  readonly prevIndex: LogIndex;
  readonly prevTerm: Term;
  readonly entries: readonly Entry[];
  readonly commitIndex: LogIndex;
  readonly sentMs: number;
}
export interface AppendResponse extends Answer {
  readonly kind: 'appendResponse';
  readonly ok: boolean;
  /** ok: everything up to here equals the leader's log and is durable. */
  readonly matchIndex: LogIndex;
  /** Not ok: the `prevIndex` that was refused, and where the follower's log could still agree. */
  readonly rejectedIndex: LogIndex;
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
  readonly sentMs: number;
}
export interface Heartbeat extends Envelope {
  readonly kind: 'heartbeat';
  /** Never beyond what this follower is known to have. */
  readonly commitIndex: LogIndex;
  /** The read round this heartbeat confirms (unique and growing within the term). */
  readonly readRound: number;
  readonly sentMs: number;
  /** How late the sender's own timers were lately, ms, where that is worth telling. */
  readonly lateMs?: number;
}
export interface HeartbeatResponse extends Answer {
  readonly kind: 'heartbeatResponse';
  readonly readRound: number;
  readonly sentMs: number;
}
/** Leadership transfer: "campaign now". */
export interface TimeoutNow extends Envelope {
  readonly kind: 'timeoutNow';
}

export type Message =
  | PreVoteRequest
  | PreVoteResponse
  | VoteRequest
  | VoteResponse
  | Append
  | AppendResponse
  | Heartbeat
  | HeartbeatResponse
  | TimeoutNow;

/** A checkpoint is on its way. Not a message among the others: it heads the stream of chunks that carries the bytes. */
export interface CheckpointOffer extends Envelope {
  readonly checkpoint: CheckpointMeta;
}

export type MessageKind = Message['kind'];
export type MessageOf<Kind extends MessageKind> = Extract<Message, { readonly kind: Kind }>;
