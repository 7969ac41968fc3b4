/** A log in a directory. */
import { RaftError } from '../errors.ts';
import type { RaftLog } from './log.ts';
import { diskFolder, holdsOlderLog } from './segments/files.ts';
import { SegmentStore } from './segments/segment-store.ts';
import { StoredLog } from './stored-log.ts';

/** Opens or creates the log at `path`, reads and verifies all of it. Throws `logCorrupt`. */
export async function openRaftLog(path: string): Promise<RaftLog> {
  if (holdsOlderLog(path)) {
    throw new RaftError('logCorrupt', {
      detail: `${path} holds a log that an earlier Heddle kept in LMDB: save a snapshot with that one, restore it in an empty directory`,
    });
  }
  return new StoredLog(await SegmentStore.open(diskFolder(path)));
}
