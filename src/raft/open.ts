/**
 * Before a server takes part: does its log belong to it, and do log and state fit together? A server that has lost what it
 * once acknowledged must not vote, so every mismatch is an error that stops it, with what to do.
 */
import type { Random } from '../std/random.ts';
import type { Configuration, LogId, ServerId } from './core/types.ts';
import { RaftError } from './errors.ts';
import type { RaftLog } from './log/log.ts';
import type { StateMachine } from './state-machine.ts';

export interface Identity {
  readonly id: ServerId;
  readonly clusterId: string;
  /** The first configuration of a new cluster; the same on every server that is in it. Ignored if the log is not empty. */
  readonly bootstrap?: Configuration | undefined;
  /** Names the log if it is begun here and without `bootstrap`: others may have been told the name. Default: drawn. */
  readonly newLogId?: LogId;
}

/** A name for a log that is begun empty. */
export const drawLogId = (random: Random): LogId => 1 + Math.floor(random.stream('log').next() * 2 ** 48);

export async function openLog(
  identity: Identity,
  log: RaftLog,
  stateMachine: StateMachine,
  drawLogId: () => LogId,
): Promise<void> {
  const { id, clusterId, bootstrap } = identity;
  const known = log.recovered.identity;
  if (known === undefined) {
    await log.initialize(
      { id, clusterId, ...(bootstrap === undefined ? { logId: identity.newLogId ?? drawLogId() } : {}) },
      bootstrap,
    );
  } else if (known.id !== id || known.clusterId !== clusterId) {
    const detail = `the log belongs to server "${known.id}" of cluster "${known.clusterId}"`;
    throw new RaftError('badOptions', { detail, id: known.id, clusterId: known.clusterId });
  }
  const { installing } = log.recovered;
  if (installing !== undefined && stateMachine.appliedIndex >= installing.index) {
    await log.finishInstall(installing);
    log.reload();
  }
  const { prefix, lastIndex } = log.recovered;
  const { appliedIndex } = stateMachine;
  if (appliedIndex > lastIndex) {
    const detail = `the state has ${appliedIndex}, the log ends at ${lastIndex}; remove this server's data and add it again`;
    throw new RaftError('logBehindState', { detail, appliedIndex, lastIndex });
  }
  if (appliedIndex < prefix.index && prefix.index > 0) {
    const detail = `the state has ${appliedIndex}, the log starts after ${prefix.index}; restore the checkpoint first`;
    throw new RaftError('stateBehindLog', { detail, appliedIndex, prefixIndex: prefix.index });
  }
}
