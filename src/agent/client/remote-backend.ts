/**
 * The backend of a client agent: asks a server over gRPC, and another one when that certainly did nothing. Blocking reads of
 * what local sidecars watch come from the topic cache, which costs the servers one stream whatever the number of watchers.
 *
 * A server that died breaks its connection. One that hangs does not: a read that gets no answer is asked of a second server
 * beside it, and once gossip has seen the failure, what still waits at the first is given back and asked elsewhere.
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
import { Connection } from '../../api/rpc/connection.ts';
import { NotCarriedOut } from '../../api/rpc/failure.ts';
import { Refusal } from '../../fsm/errors.ts';
import type { CommandArgs, CommandName, CommandResult, QueryArgs, QueryName, QueryValue } from '../../fsm/index.ts';
import type { Clock } from '../../std/clock.ts';
import type { Logger } from '../log.ts';
import { isRepeatableCall, isRepeatableCommand } from './repeatable.ts';
import type { KnownServer, ServerDirectory } from './server-directory.ts';
import { TopicCache } from './topic-cache.ts';

export interface RemoteBackendOptions {
  readonly datacenter: string;
  readonly nodeName: string;
  /** How long a request is tried again, ms. */
  readonly holdMs: number;
}

export interface RemoteBackendEdges {
  readonly directory: ServerDirectory;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Default: a gRPC connection. */
  readonly connect?: (address: string) => ServerConnection;
}

/** What is asked of a server. */
export type ServerConnection = Pick<
  Connection,
  'address' | 'apply' | 'call' | 'query' | 'watch' | 'saveSnapshot' | 'restoreSnapshot' | 'abandon' | 'close'
>;

const pauseMs = 100;
/** A read that should be answered at once is asked of a second server when the first was silent for so long. */
const secondAskMs = 1_000;

export class RemoteBackend implements Backend, Snapshots {
  readonly datacenter: string;
  readonly nodeName: string;
  readonly topics: TopicCache;
  readonly #holdMs: number;
  readonly #directory: ServerDirectory;
  readonly #clock: Clock;
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  readonly #connect: (address: string) => ServerConnection;
  readonly #connections = new Map<string, ServerConnection>();
  #stopped = false;
  #cancelMove: () => void = () => undefined;

  constructor(options: RemoteBackendOptions, edges: RemoteBackendEdges) {
    this.datacenter = options.datacenter;
    this.nodeName = options.nodeName;
    this.#holdMs = options.holdMs;
    this.#directory = edges.directory;
    this.#clock = edges.clock;
    this.#log = edges.log;
    this.#connect = edges.connect ?? ((address) => new Connection({ address, forwarded: false }));
    this.topics = new TopicCache({
      clock: edges.clock,
      holdMs: options.holdMs,
      info: (message, fields) => edges.log.info(message, fields),
      warn: (message, fields) => edges.log.warn(message, fields),
      watch: (name, args, readOptions, told, ended) => this.#watch(name, args, readOptions, told, ended),
    });
    this.#planMove();
  }

  apply<N extends CommandName>(name: N, args: CommandArgs<N>, caller: Caller): Promise<CommandResult<N>> {
    const ask = (connection: ServerConnection) => connection.apply(name, args, caller);
    return this.#ask(isRepeatableCommand(name) ? (connection) => repeatable(ask(connection)) : ask);
  }

  query<N extends QueryName>(name: N, args: QueryArgs<N>, options: ReadOptions): Promise<Answer<QueryValue<N>>> {
    if (this.topics.serves(name, options)) return this.topics.query(name, args, options);
    const ask = (connection: ServerConnection, signal: AbortSignal | undefined): Promise<Answer<QueryValue<N>>> =>
      connection.query(name, args, signal === undefined ? options : { ...options, signal });
    if ((options.minIndex ?? 0) > 0) return this.#ask((connection) => repeatable(ask(connection, options.signal)));
    return this.#ask((connection, others) => this.#askTwo(connection, others, options.signal, ask));
  }

  call<N extends CallName>(name: N, args: Calls[N]['args'], caller: Caller): Promise<Calls[N]['result']> {
    const ask = (connection: ServerConnection) => connection.call(name, args, caller);
    return this.#ask(isRepeatableCall(name) ? (connection) => repeatable(ask(connection)) : ask);
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

  /** To be called when the pool has changed: servers that it no longer holds for alive will not answer any more. */
  serversChanged(): void {
    const present = new Map(this.#directory.known().map(({ id, address }) => [id, address]));
    for (const [id, connection] of this.#connections) {
      if (present.get(id) === connection.address) continue;
      this.#connections.delete(id);
      this.#log.info('a server is gone: asking another one', { address: connection.address });
      connection.abandon('gossip says that the server is gone');
    }
  }

  /** Streams stand for days: when the order of servers is drawn anew, they follow it. */
  #planMove(): void {
    const [preferred] = this.#directory.candidates();
    if (preferred !== undefined) this.topics.moveTo(preferred.id);
    this.#cancelMove = this.#clock.after(Math.max(this.#directory.untilRebalanceMs(), 1_000), () => this.#planMove());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelMove();
    this.topics.stop();
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  /** Tries each server once, then again after a pause, until one answers or the hold time is over. */
  async #ask<T>(ask: (connection: ServerConnection, others: readonly KnownServer[]) => Promise<T>): Promise<T> {
    const deadlineMs = this.#clock.monotonicMs() + this.#holdMs;
    let last: Error = noServers();
    for (;;) {
      const candidates = this.#directory.candidates();
      if (candidates.length === 0) throw noServers();
      for (const { id, address } of candidates) {
        if (this.#stopped) throw new BackendError('stopped', 'this agent is shutting down');
        try {
          const others = candidates.filter((other) => other.id !== id);
          return await ask(this.#connection(id, address), others);
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

  /** Asks one server and, if that stays silent, another one too; the first answer counts. */
  async #askTwo<T>(
    first: ServerConnection,
    others: readonly KnownServer[],
    signal: AbortSignal | undefined,
    ask: (connection: ServerConnection, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController();
    const abort = (): void => controller.abort(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    const [second] = others;
    let cancel = (): void => undefined;
    const asked = repeatable(ask(first, controller.signal));
    const late = new Promise<T>((resolve, reject) => {
      if (second === undefined) return;
      cancel = this.#clock.after(secondAskMs, () => {
        // Whoever is silent is asked last from now on.
        this.#directory.failed(this.#idOf(first));
        repeatable(ask(this.#connection(second.id, second.address), controller.signal)).then(
          resolve,
          (error: unknown) => {
            // The first may still answer; only what a server decided counts for both.
            if (!(error instanceof NotCarriedOut)) reject(error as Error);
          },
        );
      });
    });
    try {
      return await Promise.race([asked, late]);
    } finally {
      cancel();
      signal?.removeEventListener('abort', abort);
      controller.abort(new Error('answered by another server'));
    }
  }

  #idOf(connection: ServerConnection): string {
    for (const [id, each] of this.#connections) if (each === connection) return id;
    return '';
  }

  /**
   * A watch says at once how things are. When its server is silent, another is asked beside it, and whoever answers first is
   * listened to from then on.
   */
  #watch<N extends QueryName>(
    name: N,
    args: QueryArgs<N>,
    options: ReadOptions & { readonly signal: AbortSignal },
    told: (answer: Answer<QueryValue<N>>) => void,
    ended: (error: Error) => void,
  ): string | undefined {
    const [first, second] = this.#directory.candidates();
    if (first === undefined) {
      ended(noServers());
      return undefined;
    }
    const controllers = new Map<KnownServer, AbortController>();
    const abort = (): void => {
      cancel();
      for (const controller of controllers.values()) controller.abort(options.signal.reason);
    };
    const over = (server: KnownServer, error: Error): void => {
      controllers.delete(server);
      // What a server decided, another one would decide too.
      if (error instanceof Refusal) abort();
      else {
        this.#directory.failed(server.id);
        if (controllers.size > 0) return;
      }
      cancel();
      options.signal.removeEventListener('abort', abort);
      ended(error);
    };
    const chosen = (server: KnownServer): void => {
      cancel();
      for (const [other, controller] of controllers) {
        if (other === server) continue;
        controllers.delete(other);
        controller.abort(new Error('answered by another server'));
      }
    };
    const ask = (server: KnownServer): void => {
      const controller = new AbortController();
      controllers.set(server, controller);
      const heard = (answer: Answer<QueryValue<N>>): void => {
        if (controllers.get(server) !== controller) return;
        chosen(server);
        told(answer);
      };
      const asked = { ...options, signal: controller.signal };
      this.#connection(server.id, server.address).watch(name, args, asked, heard, (error) => over(server, error));
    };
    let cancel = (): void => undefined;
    options.signal.addEventListener('abort', abort, { once: true });
    if (second !== undefined) {
      cancel = this.#clock.after(secondAskMs, () => {
        this.#directory.failed(first.id);
        ask(second);
      });
    }
    ask(first);
    return first.id;
  }

  #connection(id: string, address: string): ServerConnection {
    const known = this.#connections.get(id);
    if (known?.address === address) return known;
    known?.abandon('the server has another address now');
    const connection = this.#connect(address);
    this.#connections.set(id, connection);
    return connection;
  }
}

/** What may be done twice and has an unknown outcome, or met a server which shuts down, may be asked elsewhere. */
async function repeatable<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof BackendError && (error.code === 'unknownOutcome' || error.code === 'stopped')) {
      throw new NotCarriedOut('unreachable', error.message, {}, { cause: error });
    }
    throw error;
  }
}

function noServers(): BackendError {
  return new BackendError('noServers', 'No known Consul servers');
}
