/** Unlocks a key that the session holds, and sets it. The result is false if the session does not hold it. */
import { command } from '../contract.ts';
import type { KvLock } from './kv-acquire.ts';
import { releaseEntry } from './kv-entries.ts';

export const kvRelease = command<KvLock, boolean>({
  name: 'kv.release',
  version: 1,
  apply: (tx, { Session, ...content }) => releaseEntry(tx, content, Session) !== undefined,
});
