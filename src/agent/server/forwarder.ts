/** How a server that does not lead asks the one that does. */
import type { Answer, Caller, CallName, Calls, ReadOptions, SavedSnapshot } from '../../api/backend.ts';
import type { CommandArgs, CommandName, CommandResult, QueryArgs, QueryName, QueryValue } from '../../fsm/index.ts';

/**
 * Rejects with what the leader threw (Refusal, BackendError), or with `NotSent` when the request did not leave this server
 * or the other one does not lead: then, and only then, it may be tried again.
 */
export interface Forwarder {
  apply<N extends CommandName>(
    leaderId: string,
    name: N,
    args: CommandArgs<N>,
    caller: Caller,
  ): Promise<CommandResult<N>>;
  query<N extends QueryName>(
    leaderId: string,
    name: N,
    args: QueryArgs<N>,
    options: ReadOptions,
  ): Promise<Answer<QueryValue<N>>>;
  call<N extends CallName>(
    leaderId: string,
    name: N,
    args: Calls[N]['args'],
    caller: Caller,
  ): Promise<Calls[N]['result']>;
  saveSnapshot(leaderId: string, options: Pick<ReadOptions, 'caller' | 'consistency'>): Promise<SavedSnapshot>;
  restoreSnapshot(leaderId: string, archive: AsyncIterable<Uint8Array>, caller: Caller): Promise<void>;
  stop(): Promise<void>;
}

/** The request was certainly not carried out. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

/** For a server that is alone: there is nobody to ask. */
export const noForwarder: Forwarder = {
  apply: () => Promise.reject(new NotSent('this server knows no other')),
  query: () => Promise.reject(new NotSent('this server knows no other')),
  call: () => Promise.reject(new NotSent('this server knows no other')),
  saveSnapshot: () => Promise.reject(new NotSent('this server knows no other')),
  restoreSnapshot: () => Promise.reject(new NotSent('this server knows no other')),
  stop: () => Promise.resolve(),
};
