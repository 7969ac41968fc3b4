/**
 * A member of a gossip pool: `GossipNode.open` binds the sockets and announces the member; `join` finds the others.
 * Promises, callbacks and files are here; the protocol is in `serf/pool.ts`, its execution in `driver.ts`.
 */
import type { Clock } from '../std/clock.ts';
import type {
  Gossip,
  GossipEdges,
  GossipEvents,
  GossipOptions,
  IncomingQuery,
  JoinOptions,
  JoinResult,
  KeyManager,
  Logger,
  QueryHandle,
  QueryParams,
} from './api.ts';
import { Callbacks } from './callbacks.ts';
import type { GossipConfig } from './config.ts';
import { Driver } from './driver.ts';
import { GossipError, type GossipErrorCode, gossipErrorCodes } from './errors.ts';
import { Joining } from './joining.ts';
import { KeyDesk } from './key-desk.ts';
import { Counters } from './metrics.ts';
import { admission, checkedConfig, labelBytes, openKeyring } from './options.ts';
import { RunningQuery } from './query-handle.ts';
import type { DeliveredQuery, PoolEvent } from './serf/context.ts';
import type { Coordinate } from './serf/coordinate.ts';
import type { Member } from './serf/member.ts';
import { Pool } from './serf/pool.ts';
import { emptySnapshot } from './serf/snapshot.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import { advertisableAddress } from './transport/addresses.ts';
import { Envelope } from './transport/envelope.ts';
import { SnapshotFile } from './transport/snapshot-file.ts';
import { SocketTransport } from './transport/sockets.ts';
import { onLoopDelay, systemClock, systemRandom } from './transport/system.ts';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Parts that exist before the node does. */
interface Built {
  readonly options: GossipOptions;
  readonly config: GossipConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly keyDesk: KeyDesk;
}

export class GossipNode implements Gossip {
  readonly keys: KeyManager;
  readonly metrics: Counters;
  private readonly built: Built;
  private readonly callbacks: Callbacks;
  private readonly queries = new Map<number, RunningQuery>();
  private readonly waits = new Map<string, (timedOut: boolean) => void>();
  private readonly leavers: (() => void)[] = [];
  private pool!: Pool;
  private driver!: Driver;
  private joining!: Joining;
  private snapshots: SnapshotKeeper | undefined;
  private unlistenLoop: () => void = () => {};
  private stopping: Promise<void> | undefined;

  private constructor(built: Built) {
    this.built = built;
    this.callbacks = new Callbacks(built);
    this.metrics = built.counters;
    this.keys = built.keyDesk.manager(
      (name, payload, params) => this.query(name, payload, params),
      () => this.pool.countActive(),
    );
  }

  /** Binds, announces this member, and rejoins what the snapshot remembers. Throws GossipError `bad-option`, `bind-failed`. */
  static async open(options: GossipOptions, edges: GossipEdges = {}): Promise<GossipNode> {
    const config = checkedConfig(options);
    const { clock = systemClock, logger = silent } = edges;
    const counters = new Counters();
    const keyDesk = new KeyDesk(await openKeyring(options), options.keyringPath);
    const node = new GossipNode({ options, config, clock, logger, counters, keyDesk });
    const { snapshotPath, rejoinAfterLeave = false } = options;
    const snapshot =
      snapshotPath === undefined ? emptySnapshot : await SnapshotFile.read(snapshotPath, rejoinAfterLeave);
    await node.bind(edges);
    try {
      if (snapshotPath !== undefined) {
        node.snapshots = await SnapshotKeeper.open(snapshotPath, snapshot, { pool: node.pool, clock, logger });
      }
    } catch (error) {
      await node.driver.stop();
      throw error;
    }
    node.driver.run((pool, nowMs) => pool.start(snapshot, nowMs));
    node.unlistenLoop = onLoopDelay((delayMs) => node.driver.run((pool, nowMs) => pool.loopDelay(delayMs, nowMs)));
    void node.joining.rejoin(snapshot);
    return node;
  }

  private async bind(edges: GossipEdges): Promise<void> {
    const { options, config, clock, logger, counters, keyDesk } = this.built;
    const { transport = new SocketTransport(), random = systemRandom() } = edges;
    const envelope = new Envelope({
      keyring: keyDesk.keyring,
      label: labelBytes(options),
      compression: config.compression,
      verifyIncoming: options.encryptVerifyIncoming ?? true,
      verifyOutgoing: options.encryptVerifyOutgoing ?? true,
    });
    const address = advertisableAddress(options.advertiseAddress ?? options.bindAddress);
    const admit = admission(options);
    // Packets that arrive before the pool exists find nobody, as they would have a moment earlier.
    let driver: Driver | undefined;
    const bound = await transport.listen(
      { address: options.bindAddress, port: options.bindPort },
      {
        packet: (bytes, from) => driver?.handlers.packet(bytes, from),
        stream: (stream) => (driver === undefined ? stream.destroy() : driver.handlers.stream(stream)),
        failed: (error) => driver?.handlers.failed(error),
      },
    );
    const advertise = { address, port: options.advertisePort ?? bound.port };
    this.pool = new Pool(
      {
        name: options.name,
        advertise,
        tags: options.tags ?? {},
        config,
        packetOverheadBytes: envelope.overheadBytes,
        nameConflictResolution: options.nameConflictResolution ?? true,
        admit,
        admitAll: options.admitAll,
        sameOwner: options.sameOwner,
        reconnectTimeoutOf: options.reconnectTimeoutOf,
      },
      { random, counters },
    );
    const { streamsMax, tcpTimeoutMs } = config;
    const event = (happened: PoolEvent): void => this.event(happened);
    const { pool } = this;
    driver = new Driver({ pool, transport, envelope, clock, counters, logger, streamsMax, tcpTimeoutMs, event });
    this.driver = driver;
    this.joining = new Joining({ ownName: options.name, defaultPort: advertise.port, driver, logger });
  }

  // --- events

  on<K extends keyof GossipEvents>(event: K, callback: (value: GossipEvents[K]) => void): () => void {
    return this.callbacks.on(event, callback);
  }

  private event(event: PoolEvent): void {
    switch (event.kind) {
      case 'member':
        this.snapshots?.touch();
        return this.callbacks.emit(event.change, event.member);
      case 'userEvent':
        this.snapshots?.touch();
        return this.callbacks.emit('userEvent', event.event);
      case 'query':
        this.snapshots?.touch();
        return this.callbacks.emit('query', this.incoming(event.query));
      case 'queryAck':
        return this.queries.get(event.query)?.heardAck(event.from);
      case 'queryResponse':
        return this.queries.get(event.query)?.heardResponse({ from: event.from, payload: event.payload });
      case 'queryOver':
        this.queries.get(event.query)?.finish();
        this.queries.delete(event.query);
        return;
      case 'joinDone':
        return this.joining.done(event);
      case 'waitDone':
        this.waits.get(event.token)?.(event.timedOut);
        this.waits.delete(event.token);
        return;
      case 'left':
        for (const resolve of this.leavers.splice(0)) resolve();
        return;
      case 'keyRequest':
        void this.keyRequest(event);
        return;
      case 'snapshot':
        return this.snapshots?.add(event.line);
      case 'shutdown':
        return this.shutdown(event.reason);
    }
  }

  private incoming(query: DeliveredQuery): IncomingQuery {
    const { answer, ...facts } = query;
    return {
      ...facts,
      respond: (payload) => {
        this.mustRun();
        this.expect(this.driver.run((pool, nowMs) => pool.respond(answer, payload, nowMs)));
      },
    };
  }

  private async keyRequest({ answer, operation, key }: Extract<PoolEvent, { kind: 'keyRequest' }>): Promise<void> {
    const response = await this.built.keyDesk.perform(operation, key);
    if (this.stopping === undefined) this.driver.run((pool, nowMs) => pool.keyAnswer(answer, response, nowMs));
  }

  private shutdown(reason: string): void {
    this.built.logger.error({ reason }, 'gossip stops');
    this.callbacks.emit('shutdown', { reason });
    void this.stop();
  }

  private expect<T>(result: { ok: true; value: T } | { ok: false; error: GossipErrorCode }): T {
    if (result.ok) return result.value;
    throw new GossipError(result.error, gossipErrorCodes[result.error]);
  }

  private mustRun(): void {
    if (this.stopping !== undefined) throw new GossipError('stopped', gossipErrorCodes.stopped);
  }

  // --- joining and leaving

  async join(addresses: readonly string[], options: JoinOptions = {}): Promise<JoinResult> {
    this.mustRun();
    return this.joining.join(addresses, options);
  }

  async leave(): Promise<void> {
    this.mustRun();
    if (this.pool.left) return;
    const left = new Promise<void>((resolve) => this.leavers.push(resolve));
    this.driver.run((pool, nowMs) => pool.leave(nowMs));
    await left;
  }

  async forceLeave(name: string, { prune = false }: { readonly prune?: boolean } = {}): Promise<void> {
    this.mustRun();
    await this.wait(this.expect(this.driver.run((pool, nowMs) => pool.forceLeave(name, prune, nowMs))));
  }

  async setTags(tags: Readonly<Record<string, string>>): Promise<void> {
    this.mustRun();
    await this.wait(this.expect(this.driver.run((pool, nowMs) => pool.setTags(tags, nowMs))));
  }

  /** Until a broadcast was told often enough; nothing to wait for without a token. */
  private async wait(token: string | undefined): Promise<void> {
    if (token === undefined) return;
    const timedOut = await new Promise<boolean>((resolve) => this.waits.set(token, resolve));
    if (timedOut) throw new GossipError('broadcast-timeout', gossipErrorCodes['broadcast-timeout']);
  }

  // --- events and queries

  userEvent(name: string, payload: Uint8Array, { coalesce = false }: { readonly coalesce?: boolean } = {}): void {
    this.mustRun();
    this.expect(this.driver.run((pool, nowMs) => pool.userEvent(name, payload, coalesce, nowMs)));
  }

  query(name: string, payload: Uint8Array, params: QueryParams = {}): QueryHandle {
    this.mustRun();
    const asked = this.expect(this.driver.run((pool, nowMs) => pool.query(name, payload, params, nowMs)));
    const end = (): void => this.driver.run((pool, nowMs) => pool.closeQuery(asked.query, nowMs));
    const running = new RunningQuery(this.built.clock.wallMs() + asked.timeoutMs, end);
    this.queries.set(asked.query, running);
    return running;
  }

  // --- what can be looked up

  members(): Member[] {
    return this.pool.members();
  }

  member(name: string): Member | undefined {
    return this.pool.member(name);
  }

  local(): Member {
    return this.pool.self();
  }

  coordinate(): Coordinate {
    return this.pool.coordinate();
  }

  coordinateOf(name: string): Coordinate | undefined {
    return this.pool.coordinateOf(name);
  }

  stats(): Record<string, string> {
    return { ...this.pool.stats(), encrypted: String(this.built.keyDesk.keyring.enabled) };
  }

  // --- the end

  stop(): Promise<void> {
    this.stopping ??= this.stopOnce();
    return this.stopping;
  }

  private async stopOnce(): Promise<void> {
    this.unlistenLoop();
    await this.driver.stop();
    for (const query of this.queries.values()) query.finish();
    this.joining.stop();
    for (const resolve of this.waits.values()) resolve(true);
    for (const resolve of this.leavers.splice(0)) resolve();
    await this.snapshots?.close();
  }
}
