/**
 * The end of a session, whatever ends it: destroy, TTL, its node or one of its checks. In the same entry every key it
 * holds is released or deleted, as its behavior says.
 */
import type { HealthCheck, Session } from '../../structs/index.ts';
import type { WriteTx } from '../contract.ts';
import { deleteEntry, unlockEntry } from './kv-entries.ts';

/** Ends the session if it exists. */
export function endSession(tx: WriteTx, id: string): void {
  const session = tx.table('sessions').get([id]);
  if (session === undefined) return;
  tx.table('sessions').delete([id]);
  for (const entry of [...tx.table('kv').by('session', [id])]) {
    if (session.Behavior === 'delete') deleteEntry(tx, entry.Key);
    else unlockEntry(tx, entry);
  }
}

export function endSessionsOfNode(tx: WriteTx, node: string): void {
  for (const session of [...tx.table('sessions').by('node', [node])]) endSession(tx, session.ID);
}

/** Ends the sessions that depend on a check. */
export function endSessionsOfCheck(tx: WriteTx, check: Pick<HealthCheck, 'Node' | 'CheckID'>): void {
  const id = check.CheckID.toLowerCase();
  for (const session of [...tx.table('sessions').by('node', [check.Node])]) {
    if (checksOf(session).some((name) => name.toLowerCase() === id)) endSession(tx, session.ID);
  }
}

/** The ids of all checks that a session depends on, each once. */
export function checksOf(session: Pick<Session, 'NodeChecks' | 'ServiceChecks' | 'Checks'>): readonly string[] {
  const services = (session.ServiceChecks ?? []).map((check) => check.ID);
  return [...new Set([...(session.Checks ?? []), ...(session.NodeChecks ?? []), ...services])];
}
