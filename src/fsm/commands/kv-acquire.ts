/**
 * Locks a key for a session and sets it. The result is false while another session holds it, or while the lock-delay of
 * the session that lost it runs (known to the leader alone, so answered without a log entry).
 */
import { command, Settled } from '../contract.ts';
import { acquireEntry, type KvContent } from './kv-entries.ts';

export interface KvLock extends KvContent {
  readonly Session: string;
}

export const kvAcquire = command<KvLock, boolean>({
  name: 'kv.acquire',
  version: 1,
  prepare: (args, leader) => (leader.lockDelayUntilMs(args.Key) > leader.nowMs ? new Settled(false) : args),
  apply: (tx, { Session, ...content }) => acquireEntry(tx, content, Session) !== undefined,
});
