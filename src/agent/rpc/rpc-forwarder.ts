/** Passes requests on to the leader over gRPC: one connection a server, kept and shared by all callers. */
import type { Answer, Caller, CallName, Calls, ReadOptions, SavedSnapshot } from '../../api/backend.ts';
import { Connection, NotCarriedOut } from '../../api/rpc/index.ts';
import type { CommandArgs, CommandName, CommandResult, QueryArgs, QueryName, QueryValue } from '../../fsm/index.ts';
import { type Forwarder, NotSent } from '../server/index.ts';

export class RpcForwarder implements Forwarder {
  readonly #addressOf: (id: string) => string | undefined;
  readonly #connections = new Map<string, Connection>();

  /** `addressOf` gives `host:port` of a server of the Raft configuration. */
  constructor(addressOf: (id: string) => string | undefined) {
    this.#addressOf = addressOf;
  }

  apply<N extends CommandName>(
    leaderId: string,
    name: N,
    args: CommandArgs<N>,
    caller: Caller,
  ): Promise<CommandResult<N>> {
    return this.#ask(leaderId, (connection) => connection.apply(name, args, caller));
  }

  query<N extends QueryName>(
    leaderId: string,
    name: N,
    args: QueryArgs<N>,
    options: ReadOptions,
  ): Promise<Answer<QueryValue<N>>> {
    return this.#ask(leaderId, (connection) => connection.query(name, args, options));
  }

  call<N extends CallName>(
    leaderId: string,
    name: N,
    args: Calls[N]['args'],
    caller: Caller,
  ): Promise<Calls[N]['result']> {
    return this.#ask(leaderId, (connection) => connection.call(name, args, caller));
  }

  saveSnapshot(leaderId: string, options: Pick<ReadOptions, 'caller' | 'consistency'>): Promise<SavedSnapshot> {
    return this.#ask(leaderId, (connection) => connection.saveSnapshot(options));
  }

  restoreSnapshot(leaderId: string, archive: AsyncIterable<Uint8Array>, caller: Caller): Promise<void> {
    return this.#ask(leaderId, (connection) => connection.restoreSnapshot(archive, caller));
  }

  stop(): Promise<void> {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
    return Promise.resolve();
  }

  async #ask<T>(leaderId: string, ask: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      return await ask(this.#connection(leaderId));
    } catch (error) {
      if (error instanceof NotCarriedOut) throw new NotSent(error.message, { cause: error });
      throw error;
    }
  }

  #connection(id: string): Connection {
    const address = this.#addressOf(id);
    if (address === undefined) throw new NotCarriedOut('unreachable', `no address is known of server ${id}`);
    const known = this.#connections.get(id);
    if (known?.address === address) return known;
    known?.close();
    const connection = new Connection({ address, forwarded: true });
    this.#connections.set(id, connection);
    return connection;
  }
}
