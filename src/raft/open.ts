/**
 * Before a server takes part: does its log belong to it, and do log and state fit together? A server that has lost what it
 * once acknowledged must not vote, so every mismatch is an error that stops it, with what to do.
 */
import type { Configuration, ServerId } from './core/types.ts';
import { RaftError } from './errors.ts';
import type { RaftLog } from './log/log.ts';
import type { StateMachine } from './state-machine.ts';

export interface Identity {
  readonly id: ServerId;
  readonly clusterId: string;
  /** The first configuration of a new cluster; the same on every server that is in it. Ignored if the log is not empty. */
  readonly bootstrap?: Configuration | undefined;
}

export async function openLog(identity: Identity, log: RaftLog, stateMachine: StateMachine): Promise<void> {
  const known = log.recovered.identity;
  if (known === undefined) await log.initialize(identity.id, identity.clusterId, identity.bootstrap);
  else if (known.id !== identity.id || known.clusterId !== identity.clusterId) {
    const detail = `the log belongs to server "${known.id}" of cluster "${known.clusterId}"`;
    throw new RaftError('badOptions', { detail, ...known });
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
