/**
 * Passes requests on to the leader over gRPC: one connection a server, kept and shared by all callers. When another server
 * leads, the former leader has a moment to answer the writes it was asked for; reads are given back at once, since a blocking
 * one would wait there for news that now happen elsewhere, and so are all reads when no leader is known for a moment.
 */
import type { Answer, Caller, CallName, Calls, ReadOptions, SavedSnapshot } from '../../api/backend.ts';
import { Connection, NotCarriedOut } from '../../api/rpc/index.ts';
import type { CommandArgs, CommandName, CommandResult, QueryArgs, QueryName, QueryValue } from '../../fsm/index.ts';
import type { Clock } from '../../std/clock.ts';
import { type Forwarder, NotSent } from '../server/index.ts';

export interface RpcForwarderEdges {
  readonly clock: Clock;
  /** `host:port` of a server of the Raft configuration. */
  addressOf(id: string): string | undefined;
}

/**
 * A former leader that is well has heard of the new one when its followers have, and then says at once what became of its writes; from
 * one that stands still, or is cut off, no answer comes, and its clients wait for nothing.
 */
const writesGraceMs = 50;
/** An election takes less. */
const readsGraceMs = 1_000;

export class RpcForwarder implements Forwarder {
  readonly #edges: RpcForwarderEdges;
  readonly #connections = new Map<string, Connection>();
  readonly #cancels = new Map<string, () => void>();
  #cancelOrphaned: () => void = () => undefined;

  constructor(edges: RpcForwarderEdges) {
    this.#edges = edges;
  }

  /**
   * To be told of each new leader, and (undefined) that none is known any more. This server may be the one that is cut off: the
   * others then have a leader whose changes a read that waits at the old one would never hear.
   */
  leaderChanged(leaderId: string | undefined): void {
    this.#cancelOrphaned();
    this.#cancelOrphaned = () => undefined;
    if (leaderId === undefined) {
      this.#cancelOrphaned = this.#edges.clock.after(readsGraceMs, () => {
        for (const connection of this.#connections.values()) connection.giveBackReads('no leader is known');
      });
      return;
    }
    this.#cancels.get(leaderId)?.();
    this.#cancels.delete(leaderId);
    for (const [id, connection] of this.#connections) {
      if (id === leaderId) continue;
      connection.giveBackReads('another server leads now');
      if (this.#cancels.has(id)) continue;
      const cancel = this.#edges.clock.after(writesGraceMs, () => {
        this.#cancels.delete(id);
        if (this.#connections.get(id) !== connection) return;
        this.#connections.delete(id);
        connection.abandon('it no longer leads');
      });
      this.#cancels.set(id, cancel);
    }
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
    this.#cancelOrphaned();
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
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
    const address = this.#edges.addressOf(id);
    if (address === undefined) throw new NotCarriedOut('unreachable', `no address is known of server ${id}`);
    const known = this.#connections.get(id);
    if (known?.address === address) return known;
    known?.abandon('it has another address now');
    const connection = new Connection({ address, forwarded: true });
    this.#connections.set(id, connection);
    return connection;
  }
}
