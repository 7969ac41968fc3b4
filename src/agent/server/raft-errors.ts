/** What becomes of Raft's errors on the way to a door: what is certain, what is unknown, what may be tried again. */
import { BackendError } from '../../api/backend.ts';
import { Refusal } from '../../fsm/index.ts';
import { RaftError } from '../../raft/index.ts';
import { NotSent } from './forwarder.ts';

/** Whether nothing happened for certain, so that the request may be held and tried again. */
export function isRetriable(error: unknown): boolean {
  if (error instanceof NotSent) return true;
  return error instanceof RaftError && (error.code === 'notLeader' || error.code === 'transferring');
}

/** The error that a door sees. What is no error of Raft passes unchanged. */
export function toBackendError(error: unknown): unknown {
  if (!(error instanceof RaftError)) return error;
  switch (error.code) {
    case 'overloaded':
      return new BackendError('overloaded', 'too many writes wait to be committed: try again later', error.fields, {
        cause: error,
      });
    case 'leadershipLost':
      return new BackendError('unknownOutcome', 'leadership lost while committing log', error.fields, { cause: error });
    case 'stopped':
      return new BackendError('stopped', 'this server is shutting down', error.fields, { cause: error });
    case 'tooLarge':
      return new Refusal('invalid', error.message, error.fields, { cause: error });
    default:
      return error;
  }
}
