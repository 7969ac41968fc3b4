/** A log in a directory. */
import { openLmdbStore } from './lmdb-store.ts';
import type { RaftLog } from './log.ts';
import { StoredLog } from './stored-log.ts';

/** Opens or creates the log at `path`, reads and verifies all of it. Throws `logCorrupt`. */
export function openRaftLog(path: string): RaftLog {
  return new StoredLog(openLmdbStore(path));
}
