/**
 * What the rest of a program holds of a consensus group: one server of it. `RaftNode` implements it; whoever uses it should
 * ask for this interface, so that a test can hand over a simulated one.
 */
import type { CheckpointMeta, Configuration, LogIndex, Role, ServerId, Term } from './core/types.ts';

/** `lease`: answered at once while a lease is held, else as `readIndex`. `readIndex`: costs a round trip to a majority. */
export type ReadMode = 'lease' | 'readIndex';

export interface PeerStatus {
  readonly id: ServerId;
  readonly matchIndex: LogIndex;
  readonly nextIndex: LogIndex;
  readonly state: 'probe' | 'replicate' | 'checkpoint';
  /** A voter that answers with another log than it is a voter with; it does not count. `demote` takes it in anew. */
  readonly logLost: boolean;
  /** Milliseconds since the last answer in this term; Infinity if none. */
  readonly lastContactMs: number;
  readonly inflightMessages: number;
  readonly inflightBytes: number;
}

export interface RaftStatus {
  readonly id: ServerId;
  readonly role: Role;
  readonly term: Term;
  /** The leader this server knows of in its term. */
  readonly leaderId: ServerId | undefined;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly lastLogIndex: LogIndex;
  readonly lastLogTerm: Term;
  /** The entry before the first one in the log. */
  readonly prefixIndex: LogIndex;
  readonly durableIndex: LogIndex;
  readonly checkpointIndex: LogIndex;
  /**
   * Milliseconds since this server last heard of its leader; 0 on the leader, Infinity if it never did, or if it is no voter and has not
   * yet what its leader had committed when it was first heard: its state is of no time at all.
   */
  readonly lastContactMs: number;
  readonly configuration: Configuration;
  readonly configurationIndex: LogIndex;
  /** On the leader, its view of every other server; else empty. */
  readonly peers: readonly PeerStatus[];
  readonly uncommittedBytes: number;
  readonly pendingProposals: number;
  readonly pendingReads: number;
  readonly leaseValid: boolean;
  /** Why the server stopped by itself, if it did. */
  readonly failure: Error | undefined;
}

/** A change of who belongs to the cluster, applied as one step (through a joint configuration if voters change). */
export interface MembershipChange {
  /** New servers, or voters to be demoted: they receive the log and do not count. */
  readonly addLearners?: readonly { readonly id: ServerId; readonly address: string }[];
  /** Learners that have caught up and become voters. */
  readonly promote?: readonly ServerId[];
  readonly demote?: readonly ServerId[];
  readonly remove?: readonly ServerId[];
  /** New addresses of present servers. */
  readonly readdress?: Readonly<Record<ServerId, string>>;
}

export interface Raft {
  readonly id: ServerId;
  /**
   * Appends an opaque payload and resolves once it is committed and applied *here*. Rejects with a RaftError; only
   * `leadershipLost` and `stopped` leave the outcome unknown. Calls made in one turn of the event loop share one log commit.
   */
  propose(data: Uint8Array): Promise<{ readonly index: LogIndex; readonly result: unknown }>;
  /**
   * A linearizable read point: resolves with an index that is applied here and contains every write acknowledged before
   * the call. Only on the leader; `notLeader` otherwise. Calls made in one turn of the event loop share one question.
   */
  readBarrier(mode: ReadMode): Promise<LogIndex>;
  /** The read point of a `lease` read, if it can be had at once: this server leads, its lease holds, all of it is applied. */
  leaseRead(): LogIndex | undefined;
  /** Resolves once `index` is applied here. */
  waitApplied(index: LogIndex): Promise<void>;
  status(): RaftStatus;
  /** `lastContactMs` of the status, cheaply: every stale read asks for it. */
  lastContactMs(): number;
  /** Calls back on each gain and loss of leadership (gain: once an entry of the own term is applied). Returns a cancel. */
  onLeadership(callback: (isLeader: boolean, term: Term) => void): () => void;
  /** Calls back whenever the known leader changes; undefined while there is none. */
  onLeaderChange(callback: (leaderId: ServerId | undefined) => void): () => void;
  /** Calls back when a committed configuration is applied. */
  onConfiguration(callback: (configuration: Configuration, index: LogIndex) => void): () => void;
  /** Calls back once if the server stops by itself, with the reason. */
  onFailure(callback: (reason: Error) => void): () => void;
  /** Resolves with the final configuration once it is committed. */
  changeMembership(change: MembershipChange): Promise<Configuration>;
  /** Hands leadership to `to`, or to the voter that is furthest ahead. Resolves once this server is not leader any more. */
  transferLeadership(to?: ServerId): Promise<void>;
  /** Makes a checkpoint and truncates the log behind it. Resolves with what is now the newest checkpoint. */
  checkpoint(): Promise<CheckpointMeta>;
  /** Rejects what is pending, finishes the write in flight, closes log and transport. Idempotent. */
  stop(): Promise<void>;
}
