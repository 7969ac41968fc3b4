/**
 * The backend of a server agent from its first moment: until its Raft is open (a new cluster waits for its servers to find
 * each other), requests are held as they are while there is no leader; afterwards it is the server.
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
} from '../api/backend.ts';
import type { CommandArgs, CommandName, CommandResult, QueryArgs, QueryName, QueryValue } from '../fsm/index.ts';
import { type Awaitable, andThen } from '../std/awaitable.ts';
import type { Clock } from '../std/clock.ts';
import type { Server } from './server/index.ts';

export interface LateServerOptions {
  readonly datacenter: string;
  readonly nodeName: string;
  /** How long a request waits for the server, ms. */
  readonly holdMs: number;
  readonly clock: Clock;
  readonly nodeId: string;
  /** Answers `bootstrap.consent`. */
  readonly consent: (
    voters: Calls['bootstrap.consent']['args']['voters'],
    belongs: boolean,
  ) => Calls['bootstrap.consent']['result'];
}

export class LateServer implements Backend, Snapshots {
  readonly datacenter: string;
  readonly nodeName: string;
  readonly #options: LateServerOptions;
  readonly #waiting = new Set<() => void>();
  #server: Server | undefined;
  #snapshots: Snapshots | undefined;
  #stopped = false;

  constructor(options: LateServerOptions) {
    this.#options = options;
    this.datacenter = options.datacenter;
    this.nodeName = options.nodeName;
  }

  get server(): Server | undefined {
    return this.#server;
  }

  opened(server: Server, snapshots: Snapshots): void {
    this.#server = server;
    this.#snapshots = snapshots;
    server.handle('bootstrap.consent', {
      where: 'any',
      run: ({ voters }) => this.#options.consent(voters, this.#belongs()),
    });
    server.handle('status.server', { where: 'any', run: () => ({ id: this.#options.nodeId }) });
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  apply<N extends CommandName>(name: N, args: CommandArgs<N>, caller: Caller): Promise<CommandResult<N>> {
    if (this.#server !== undefined) return this.#server.apply(name, args, caller);
    return this.#opened().then((server) => server.apply(name, args, caller));
  }

  query<N extends QueryName>(name: N, args: QueryArgs<N>, options: ReadOptions): Awaitable<Answer<QueryValue<N>>> {
    return andThen(this.#server ?? this.#opened(), (server) => server.query(name, args, options));
  }

  async call<N extends CallName>(name: N, args: Calls[N]['args'], caller: Caller): Promise<Calls[N]['result']> {
    const early = this.#server === undefined ? this.#earlyAnswer(name, args) : undefined;
    if (early !== undefined) return early.answer as Calls[N]['result'];
    return (this.#server ?? (await this.#opened())).call(name, args, caller);
  }

  async save(options: Pick<ReadOptions, 'caller' | 'consistency'>): Promise<SavedSnapshot> {
    await this.#opened();
    return this.#snapshots!.save(options);
  }

  async restore(archive: AsyncIterable<Uint8Array>, caller: Caller): Promise<void> {
    await this.#opened();
    return this.#snapshots!.restore(archive, caller);
  }

  /** Whether this server is part of a cluster: its Raft knows one. */
  #belongs(): boolean {
    return (this.#server?.raft.status().configuration.voters.length ?? 0) > 0;
  }

  /** What a server knows before it has a Raft. */
  #earlyAnswer(name: CallName, args: unknown): { readonly answer: unknown } | undefined {
    switch (name) {
      case 'status.leader':
        return { answer: '' };
      case 'status.peers':
        return { answer: [] };
      case 'status.server':
        return { answer: { id: this.#options.nodeId } };
      case 'catalog.datacenters':
        return { answer: [this.datacenter] };
      case 'bootstrap.consent':
        return { answer: this.#options.consent((args as Calls['bootstrap.consent']['args']).voters, false) };
      default:
        return undefined;
    }
  }

  async #opened(): Promise<Server> {
    const deadlineMs = this.#options.clock.monotonicMs() + this.#options.holdMs;
    while (this.#server === undefined) {
      if (this.#stopped) throw new BackendError('stopped', 'this server is shutting down');
      const leftMs = deadlineMs - this.#options.clock.monotonicMs();
      if (leftMs <= 0) throw new BackendError('noLeader', 'No cluster leader');
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          cancel();
          this.#waiting.delete(wake);
          resolve();
        };
        const cancel = this.#options.clock.after(leftMs, wake);
        this.#waiting.add(wake);
      });
    }
    return this.#server;
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
