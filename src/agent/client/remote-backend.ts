/**
 * The backend of a client agent: asks a server over gRPC, and another one when that certainly did nothing. Blocking reads of
 * what local sidecars watch come from the topic cache, which costs the servers one stream whatever the number of watchers.
 */
import {
  type Answer,
  type Backend,
  BackendError,
  type Caller,
  type CallName,
  type Calls,
  type ReadOptions,
  type SavedSnapshot,
  type Snapshots,
} from '../../api/backend.ts';
import { Connection, NotCarriedOut } from '../../api/rpc/index.ts';
import type { CommandArgs, CommandName, CommandResult, QueryArgs, QueryName, QueryValue } from '../../fsm/index.ts';
import type { Clock } from '../../std/clock.ts';
import type { ServerDirectory } from './server-directory.ts';
import { TopicCache } from './topic-cache.ts';

export interface RemoteBackendOptions {
  readonly datacenter: string;
  readonly nodeName: string;
  /** How long a request is tried again, ms. */
  readonly holdMs: number;
}

const pauseMs = 100;

export class RemoteBackend implements Backend, Snapshots {
  readonly datacenter: string;
  readonly nodeName: string;
  readonly topics: TopicCache;
  readonly #holdMs: number;
  readonly #directory: ServerDirectory;
  readonly #clock: Clock;
  readonly #connections = new Map<string, Connection>();
  #stopped = false;

  constructor(options: RemoteBackendOptions, edges: { readonly directory: ServerDirectory; readonly clock: Clock }) {
    this.datacenter = options.datacenter;
    this.nodeName = options.nodeName;
    this.#holdMs = options.holdMs;
    this.#directory = edges.directory;
    this.#clock = edges.clock;
    this.topics = new TopicCache({
      clock: edges.clock,
      watch: (name, args, readOptions, told, ended) => this.#watch(name, args, readOptions, told, ended),
    });
  }

  apply<N extends CommandName>(name: N, args: CommandArgs<N>, caller: Caller): Promise<CommandResult<N>> {
    return this.#ask((connection) => connection.apply(name, args, caller));
  }

  query<N extends QueryName>(name: N, args: QueryArgs<N>, options: ReadOptions): Promise<Answer<QueryValue<N>>> {
    if (this.topics.serves(name, options)) return this.topics.query(name, args, options);
    return this.#ask((connection) => connection.query(name, args, options));
  }

  call<N extends CallName>(name: N, args: Calls[N]['args'], caller: Caller): Promise<Calls[N]['result']> {
    return this.#ask((connection) => connection.call(name, args, caller));
  }

  save(options: Pick<ReadOptions, 'caller' | 'consistency'>): Promise<SavedSnapshot> {
    return this.#ask((connection) => connection.saveSnapshot(options));
  }

  /** Once: an archive is read as it comes, and cannot be read again for another server. */
  async restore(archive: AsyncIterable<Uint8Array>, caller: Caller): Promise<void> {
    const [server] = this.#directory.candidates();
    if (server === undefined) throw noServers();
    await this.#connection(server.id, server.address).restoreSnapshot(archive, caller);
  }

  /** Servers that are connected to, for `/v1/agent/self`. */
  get connected(): number {
    return this.#connections.size;
  }

  stop(): void {
    this.#stopped = true;
    this.topics.stop();
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  /** Tries each server once, then again after a pause, until one answers or the hold time is over. */
  async #ask<T>(ask: (connection: Connection) => Promise<T>): Promise<T> {
    const deadlineMs = this.#clock.monotonicMs() + this.#holdMs;
    let last: Error = noServers();
    for (;;) {
      const candidates = this.#directory.candidates();
      if (candidates.length === 0) throw noServers();
      for (const { id, address } of candidates) {
        if (this.#stopped) throw new BackendError('stopped', 'this agent is shutting down');
        try {
          return await ask(this.#connection(id, address));
        } catch (error) {
          if (!(error instanceof NotCarriedOut)) throw error;
          this.#directory.failed(id);
          last = error;
        }
      }
      if (this.#clock.monotonicMs() >= deadlineMs)
        throw new BackendError('noLeader', `rpc error getting client: ${last.message}`);
      await new Promise<void>((resolve) => void this.#clock.after(pauseMs, resolve));
    }
  }

  #watch<N extends QueryName>(
    name: N,
    args: QueryArgs<N>,
    options: ReadOptions & { readonly signal: AbortSignal },
    told: (answer: Answer<QueryValue<N>>) => void,
    ended: (error: Error) => void,
  ): void {
    const [server] = this.#directory.candidates();
    if (server === undefined) {
      ended(noServers());
      return;
    }
    this.#connection(server.id, server.address).watch(name, args, options, told, (error) => {
      this.#directory.failed(server.id);
      ended(error);
    });
  }

  #connection(id: string, address: string): Connection {
    const known = this.#connections.get(id);
    if (known?.address === address) return known;
    known?.close();
    const connection = new Connection({ address, forwarded: false });
    this.#connections.set(id, connection);
    return connection;
  }
}

function noServers(): BackendError {
  return new BackendError('noServers', 'No known Consul servers');
}
