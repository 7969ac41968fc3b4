/**
 * What the consensus library asks of the state it replicates. The payload of an entry is opaque to Raft.
 */
import type { LogIndex, Term } from './core/types.ts';

export interface CommittedEntry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly data: Uint8Array;
}

/** A finished, fsynced checkpoint, as the state machine names it. Raft adds the term and the configuration itself. */
export interface CheckpointFile {
  /** A name that `readCheckpoint` understands on the server that made it. */
  readonly id: string;
  /** The state machine's `appliedIndex` at the moment of the copy. */
  readonly index: LogIndex;
  readonly sizeBytes: number;
  /** Over the whole content; verified by the receiver before it is used. */
  readonly checksum: string;
}

/** Takes the chunks of a checkpoint that another server sends. */
export interface CheckpointReceiver {
  /** How many bytes of this very checkpoint (same checksum) are here already: a broken transfer resumes from there. */
  readonly offset: number;
  /** Chunks arrive in order, each exactly once, starting at `offset`. */
  write(chunk: Uint8Array): Promise<void>;
  /** All bytes are here: verify size and checksum, fsync. Rejects (and forgets the bytes) if they are wrong. */
  finish(): Promise<void>;
  /** The transfer broke; what came so far may be kept for a resumption. */
  abort(): Promise<void>;
}

export interface StateMachine {
  /** The last entry whose effect is in the state, durable with the rows it covers. 0 = empty. Only commands move it. */
  readonly appliedIndex: LogIndex;
  /**
   * Applies a run of committed entries in one transaction, in order; returns one result per entry. Synchronous. A bad
   * command is a result, not a throw: a throw stops the server. Indexes grow but need not be contiguous (Raft keeps
   * entries of its own).
   */
  apply(entries: readonly CommittedEntry[]): readonly unknown[];
  /** Makes a checkpoint of the applied state in the background; resolves when it is fsynced under its final name. */
  checkpoint(): Promise<CheckpointFile>;
  /** The newest durable checkpoint, also after a restart. */
  latestCheckpoint(): CheckpointFile | undefined;
  /** Reads a piece of a checkpoint for a follower that needs it; shorter than asked only at the end. */
  readCheckpoint(file: CheckpointFile, offset: number, bytesMax: number): Promise<Uint8Array>;
  /** Starts, or resumes, the receipt of a checkpoint from another server. */
  receiveCheckpoint(file: CheckpointFile): Promise<CheckpointReceiver>;
  /**
   * Replaces the whole state by a finished received checkpoint. Atomic, also over a crash: afterwards
   * `appliedIndex === file.index`, and the file is a durable checkpoint of this server's own (the log before it is dropped).
   */
  restore(file: CheckpointFile): Promise<void>;
}
