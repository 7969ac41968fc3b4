/** The log as the driver sees it. */
import type { Persist } from '../core/persistence.ts';
import type { Recovered } from '../core/state.ts';
import type { CheckpointMeta, Configuration, Entry, LogId, LogIndex, ServerId, Term } from '../core/types.ts';

export interface LogIdentity {
  readonly id: ServerId;
  readonly clusterId: string;
  /** Absent: 0. */
  readonly logId?: LogId;
}

/** What `open` found on the disk, verified. */
export interface RecoveredLog extends Recovered {
  /** Whose log this is, and of which cluster; undefined in an empty one. */
  readonly identity: LogIdentity | undefined;
  /** An installation of this checkpoint was begun and not finished. */
  readonly installing: CheckpointMeta | undefined;
}

/**
 * One writer. Calls must not overlap, except `read`. The first failed write latches the log: every later call rejects with
 * `storageFailed`, because after a failed fsync nobody knows what the disk holds (fault catalogue D03).
 */
export interface RaftLog {
  readonly recovered: RecoveredLog;
  /** Marks an empty log as this server's, with the configuration to begin with (or none, if it is to be told). */
  initialize(identity: LogIdentity, bootstrap: Configuration | undefined): Promise<void>;
  /** Gives the log another identity: an operator vouches for it. */
  rename(identity: LogIdentity): Promise<void>;
  /**
   * Carries out persists in order, in one commit. Resolves when they are on the disk. `mayHold`: the thread may wait for a quick disk.
   */
  write(persists: readonly Persist[], mayHold?: boolean): Promise<void>;
  /** Durable entries from `from`, at least one, bounded; empty if `from` is not in the log. Throws `logCorrupt`. */
  read(from: LogIndex, upTo: LogIndex, entriesMax: number, bytesMax: number): Entry[];
  /** Forgets entries up to and including `index`, whose configuration becomes the base. Their room is freed by `cleanUp`. */
  truncatePrefix(index: LogIndex, term: Term, configuration: Configuration): Promise<void>;
  /** Notes that the state is about to be replaced by `checkpoint`, so that a crash in between can be completed. */
  beginInstall(checkpoint: CheckpointMeta): Promise<void>;
  /** The state is that of `checkpoint`: the log now starts after it, keeping later entries if it agreed there. */
  finishInstall(checkpoint: CheckpointMeta): Promise<void>;
  /** Frees the room of some forgotten entries: little enough not to hold up writes. True: there are more. */
  cleanUp(): Promise<boolean>;
  /** Reads `recovered` again. */
  reload(): void;
  close(): Promise<void>;
}
