/**
 * A server: Raft, the replicated state, and what doors ask of them.
 *
 *     write   held while nobody leads; on the leader: prepare (ids, time, origin), propose, answer; elsewhere: forwarded
 *     read    gate (stale: any server; default: a leader that holds its lease; consistent: one that asked a majority),
 *             then the state, waiting for news if asked to
 *     call    what only the leader knows, or this very server
 *
 * With its leadership begin its duties (duties/) and end with it. It knows nothing of HTTP, of gossip's packets, or of the
 * agent round it: these come in through `ServerEdges`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Answer,
  type Backend,
  BackendError,
  type Caller,
  type CallName,
  type Calls,
  type ReadOptions,
} from '../../api/backend.ts';
import {
  type CommandArgs,
  type CommandName,
  type CommandResult,
  checkArguments,
  DurableState,
  type QueryArgs,
  type QueryName,
  type QueryValue,
  type ReadTx,
} from '../../fsm/index.ts';
import {
  type Configuration,
  openRaftLog,
  type Raft,
  RaftNode,
  type RaftSettings,
  type ReadMode,
  type Transport,
} from '../../raft/index.ts';
import { type Awaitable, attempt } from '../../std/awaitable.ts';
import type { Clock } from '../../std/clock.ts';
import { second } from '../../std/duration.ts';
import { HeddleError } from '../../std/errors.ts';
import type { Random } from '../../std/random.ts';
import type { PoolMember } from '../membership/tags.ts';
import { type CallHandler, type Datacenters, ownCalls } from './calls.ts';
import type { MemberSource } from './duties/catalog-duty.ts';
import { type AutopilotSeed, autopilotDefaults, type ExtraDuty, LeaderDuties } from './duties/leader-duties.ts';
import { type Forwarder, noForwarder } from './forwarder.ts';
import { Leadership } from './leadership.ts';
import { LocalReads } from './local-reads.ts';
import { recoverFromPeersFile } from './peers-file.ts';
import { Proposer } from './proposer.ts';
import { isRetriable, toBackendError } from './raft-errors.ts';

export interface ServerOptions {
  /** Where log and state live; null: in a temporary directory that goes with the server. */
  readonly dataDir: string | null;
  readonly datacenter: string;
  readonly nodeName: string;
  /** UUID of this node; its name in Raft's configuration. */
  readonly nodeId: string;
  /** `ip:port` where the other servers reach this one. */
  readonly rpcAddress: string;
  /**
   * The first configuration of a new cluster; undefined: wait to be taken in. Asked for only when this server's log is empty:
   * a new cluster of several servers takes time to find itself.
   */
  readonly bootstrap: () => Configuration | undefined | Promise<Configuration | undefined>;
  /** The name of this server's log, if it is begun now and without `bootstrap`: others may have been told it. */
  readonly newLogId?: number;
  /** What the first leader of a cluster stores for autopilot. */
  readonly autopilot?: AutopilotSeed;
  /** Shortest TTL of a session, in nanoseconds. */
  readonly sessionTtlMinNs?: number;
  /** How long a request waits for a leader, in milliseconds. */
  readonly holdMs?: number;
  readonly raftSettings?: Partial<RaftSettings>;
}

export interface ServerLogger {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
}

export interface ServerEdges {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly members: MemberSource;
  readonly logger: ServerLogger;
  readonly forwarder?: Forwarder;
  /** Absent: there is no pool between datacenters. */
  readonly datacenters?: Datacenters | undefined;
}

const noLeader = (): BackendError => new BackendError('noLeader', 'No cluster leader');

/** A configuration of one voter. */
export function aloneConfiguration(id: string, address: string): Configuration {
  return { voters: [id], votersOutgoing: [], learners: [], addresses: { [id]: address } };
}

export class Server implements Backend {
  readonly datacenter: string;
  readonly nodeName: string;
  readonly raft: Raft;
  readonly state: DurableState;
  readonly leadership: Leadership;
  readonly #edges: ServerEdges;
  readonly #forwarder: Forwarder;
  readonly #duties: LeaderDuties;
  readonly #proposer: Proposer;
  readonly #reads: LocalReads;
  readonly #calls = new Map<CallName, CallHandler<CallName>>();
  /** The directory to remove at the end, if it is a temporary one. */
  readonly #temporary: string | undefined;
  #stopping: Promise<void> | undefined;

  /** Opens log and state and takes part. Throws what Raft throws when they are damaged or do not fit together. */
  static async open(options: ServerOptions, edges: ServerEdges): Promise<Server> {
    const temporary = options.dataDir === null ? await mkdtemp(join(tmpdir(), 'heddle-')) : undefined;
    const directory = join(options.dataDir ?? temporary!, 'raft');
    const state = await DurableState.open(join(directory, 'state'), { clock: edges.clock });
    try {
      const log = await openRaftLog(join(directory, 'log'));
      await recoverFromPeersFile(directory, { id: options.nodeId, log, logger: edges.logger });
      const bootstrap = log.recovered.identity === undefined ? await options.bootstrap() : undefined;
      const raft = await RaftNode.open(
        {
          id: options.nodeId,
          clusterId: options.datacenter,
          bootstrap,
          ...(options.newLogId === undefined ? {} : { newLogId: options.newLogId }),
          ...(options.raftSettings === undefined ? {} : { settings: options.raftSettings }),
        },
        {
          log,
          transport: edges.transport,
          clock: edges.clock,
          random: edges.random.stream('raft'),
          stateMachine: state,
          logger: edges.logger,
        },
      );
      return new Server(options, edges, { raft, state, temporary });
    } catch (error) {
      await state.close();
      throw error;
    }
  }

  private constructor(
    options: ServerOptions,
    edges: ServerEdges,
    parts: { readonly raft: Raft; readonly state: DurableState; readonly temporary: string | undefined },
  ) {
    this.#edges = edges;
    this.datacenter = options.datacenter;
    this.nodeName = options.nodeName;
    this.raft = parts.raft;
    this.state = parts.state;
    this.#temporary = parts.temporary;
    this.#forwarder = edges.forwarder ?? noForwarder;
    this.leadership = new Leadership(this.raft, edges, options.holdMs ?? 7_000);
    this.#reads = new LocalReads(this.state.store, this.leadership, edges.random);
    this.#proposer = new Proposer({
      ...{ datacenter: this.datacenter, nodeName: this.nodeName, raft: this.raft, clock: edges.clock },
      view: () => this.state.store.view,
      lockDelayUntilMs: (key, nowMs) => this.#duties.lockDelays.until(key, nowMs),
      sessionTtlMinNs: options.sessionTtlMinNs ?? 10 * second,
    });
    this.#duties = new LeaderDuties(
      {
        datacenter: this.datacenter,
        nodeName: this.nodeName,
        clock: edges.clock,
        view: () => this.state.store.view,
        write: (name, args, call) =>
          this.#proposer.propose(name, args, { token: '', address: '', call, datacenter: '' }),
        warn: (message, fields) => edges.logger.warn(message, fields),
      },
      edges.members,
      options.autopilot ?? autopilotDefaults,
    );
    this.#addOwnCalls();
    this.state.store.listen({
      applied: (command) => this.#duties.applied(command),
      replaced: () => this.#duties.replaced(),
    });
    this.raft.onLeadership((isLeader) => {
      if (isLeader) return this.#duties.start();
      this.#duties.stop();
      this.#reads.leadershipLost();
    });
    if (this.leadership.leading) this.#duties.start();
  }

  /** Answers a call of this name from now on. */
  handle<N extends CallName>(name: N, handler: CallHandler<N>): void {
    this.#calls.set(name, handler as unknown as CallHandler<CallName>);
  }

  /** Adds something that runs while this server leads. */
  addDuty(duty: ExtraDuty): void {
    this.#duties.add(duty);
  }

  /** The state of this server as it is now; not to be kept across an await. */
  get view(): ReadTx {
    return this.state.store.view;
  }

  apply<N extends CommandName>(name: N, args: CommandArgs<N>, caller: Caller): Promise<CommandResult<N>> {
    return attempt(() => {
      this.#requireOwnDatacenter(caller);
      checkArguments(name, args);
      return this.#atLeader(
        () => this.#proposer.propose(name, args, caller),
        (id) => this.#forwarder.apply(id, name, args, caller),
      );
    });
  }

  /** Writes as the leader itself, commands that are nobody else's included. Held by nothing: throws when it does not lead. */
  async write<N extends CommandName>(name: N, args: CommandArgs<N>, caller: Caller): Promise<CommandResult<N>> {
    try {
      return await this.#proposer.propose(name, args, caller);
    } catch (error) {
      throw isRetriable(error) ? noLeader() : toBackendError(error);
    }
  }

  query<N extends QueryName>(name: N, args: QueryArgs<N>, options: ReadOptions): Awaitable<Answer<QueryValue<N>>> {
    this.#requireOwnDatacenter(options.caller);
    if (this.#mayAnswerAtOnce(options)) return this.#reads.now(name, args);
    if (options.consistency === 'stale') return this.#staleQuery(name, args, options);
    if ((options.minIndex ?? 0) > 0 || !this.leadership.leading) return this.#leaderQuery(name, args, options);
    return this.raft.readBarrier(barrierOf(options)).then(
      () => this.#reads.now(name, args),
      // Whether and where it is tried again is found out there.
      () => this.#leaderQuery(name, args, options),
    );
  }

  /** Most reads: they wait for no news, and what their consistency asks for is already so. */
  #mayAnswerAtOnce({ consistency, minIndex = 0, maxStaleMs }: ReadOptions): boolean {
    if (minIndex > 0 || this.#stopping !== undefined) return false;
    if (consistency === 'default') return this.leadership.leading && this.raft.leaseRead() !== undefined;
    if (consistency === 'consistent') return false;
    const contactMs = Math.round(this.leadership.lastContactMs());
    return maxStaleMs === undefined ? Number.isFinite(contactMs) : contactMs <= maxStaleMs;
  }

  async #leaderQuery<N extends QueryName>(
    name: N,
    args: QueryArgs<N>,
    options: ReadOptions,
  ): Promise<Answer<QueryValue<N>>> {
    return this.#atLeader(
      async () => {
        await this.raft.readBarrier(barrierOf(options));
        return this.#reads.answerWhileLeading(name, args, options);
      },
      (id) => this.#forwarder.query(id, name, args, options),
    );
  }

  async call<N extends CallName>(name: N, args: Calls[N]['args'], caller: Caller): Promise<Calls[N]['result']> {
    this.#requireOwnDatacenter(caller);
    const handler = this.#calls.get(name) as CallHandler<N> | undefined;
    if (handler === undefined) throw new HeddleError('CALL_UNKNOWN', `this server does not answer ${name}`);
    if (handler.where === 'any') return handler.run(args, caller);
    return this.#atLeader(
      async () => {
        this.#duties.hurry();
        return handler.run(args, caller);
      },
      (id) => this.#forwarder.call(id, name, args, caller),
    );
  }

  /**
   * Runs `here` once this server has proved that it leads, or `there` for the leader elsewhere. At once: without a leader it
   * throws `noLeader`, and holds nobody.
   */
  async whereLed<T>(
    caller: Caller,
    here: () => Promise<T>,
    there: (forwarder: Forwarder, leaderId: string) => Promise<T>,
  ): Promise<T> {
    this.#requireOwnDatacenter(caller);
    const place = this.leadership.place();
    try {
      if (place.kind === 'there') return await there(this.#forwarder, place.id);
      if (place.kind === 'here') await this.raft.readBarrier('readIndex');
    } catch (error) {
      throw isRetriable(error) ? noLeader() : toBackendError(error);
    }
    if (place.kind === 'nowhere') throw noLeader();
    return here();
  }

  /** Resolves when there is a leader to ask, here or elsewhere; throws `noLeader` when the hold time is over. */
  async untilLed(): Promise<void> {
    await this.leadership.hold(async (place) => (place.kind === 'nowhere' ? undefined : { answer: undefined }));
  }

  /** Ends reads and duties, then Raft, then the state; what is acknowledged is on the disk. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#duties.stop();
    this.leadership.stop();
    await this.#forwarder.stop();
    await this.raft.stop();
    await this.state.close();
    if (this.#temporary !== undefined) await rm(this.#temporary, { recursive: true, force: true });
  }

  #addOwnCalls(): void {
    const handlers = ownCalls({
      datacenter: this.datacenter,
      nodeName: this.nodeName,
      raft: this.raft,
      store: this.state.store,
      leadership: this.leadership,
      duties: this.#duties,
      members: (): readonly PoolMember[] => this.#edges.members.members(),
      datacenters: this.#edges.datacenters,
    });
    for (const [name, handler] of Object.entries(handlers)) this.#calls.set(name as CallName, handler as never);
  }

  /** Runs `here` on the leader, or `there` for another; again, while it certainly had no effect and the hold time lasts. */
  #atLeader<T>(here: () => Promise<T>, there: (leaderId: string) => Promise<T>): Promise<T> {
    if (!this.leadership.leading) return this.#holding(here, there);
    // Nearly always: without what holding costs.
    return here().catch((error: unknown) => {
      if (!isRetriable(error)) throw toBackendError(error);
      return this.#holding(here, there);
    });
  }

  #holding<T>(here: () => Promise<T>, there: (leaderId: string) => Promise<T>): Promise<T> {
    return this.leadership.hold(async (place) => {
      if (place.kind === 'nowhere') return undefined;
      try {
        return { answer: place.kind === 'here' ? await here() : await there(place.id) };
      } catch (error) {
        if (isRetriable(error)) return undefined;
        throw toBackendError(error);
      }
    });
  }

  async #staleQuery<N extends QueryName>(
    name: N,
    args: QueryArgs<N>,
    options: ReadOptions,
  ): Promise<Answer<QueryValue<N>>> {
    // A server that never had a leader since its start does not know how old its state is.
    await this.leadership.hold(async () =>
      Number.isFinite(this.leadership.lastContactMs()) ? { answer: undefined } : undefined,
    );
    const answer = await this.#reads.answer(name, args, options);
    if (options.maxStaleMs === undefined || answer.lastContactMs <= options.maxStaleMs) return answer;
    return this.query(name, args, { ...options, consistency: 'default' });
  }

  #requireOwnDatacenter({ datacenter }: Caller): void {
    if (datacenter !== '' && datacenter !== this.datacenter) {
      throw new BackendError('noPath', 'No path to datacenter');
    }
  }
}

const barrierOf = ({ consistency }: ReadOptions): ReadMode => (consistency === 'consistent' ? 'readIndex' : 'lease');
