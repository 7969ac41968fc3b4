/**
 * The cluster of a server agent: its RPC port, its place in the gossip pool, and its Raft, in this order, since a new cluster
 * finds itself through the first two.
 *
 *     RPC port (Raft, gRPC door) -> gossip pools (WAN, LAN) -> join -> [empty log: agree on a beginning] -> Raft, state -> duties
 */
import { randomUUID } from 'node:crypto';
import { type Backend, BackendError, type Caller, type Snapshots } from '../api/backend.ts';
import type { Route } from '../api/http/index.ts';
import type { Member } from '../api/local-agent.ts';
import { Connection, RpcDoor } from '../api/rpc/index.ts';
import { type Configuration, drawLogId, GrpcTransport } from '../raft/index.ts';
import { seededRandom } from '../std/random.ts';
import { installConnect } from './authority.ts';
import { bootstrapEntries } from './bootstrap-entries.ts';
import { systemClock } from './clock.ts';
import type { Cluster, ClusterInput } from './cluster.ts';
import { connectParts } from './identities.ts';
import { LateServer } from './late-server.ts';
import { sampleLoopDelay } from './loop-delay.ts';
import { AgentPool } from './membership/agent-pool.ts';
import { BootstrapConsent } from './membership/bootstrap.ts';
import { BootstrapRun, type Founder } from './membership/bootstrap-run.ts';
import { shortName } from './membership/tags.ts';
import { answerKeyring, poolKeys } from './pool-keys.ts';
import { lanPoolOptions } from './pool-options.ts';
import { forceLeaveMember, joinPool, memberOf, noSuchMember, poolParts } from './pool-view.ts';
import { RpcForwarder } from './rpc/rpc-forwarder.ts';
import { type RpcServer, startRpcServer } from './rpc/rpc-server.ts';
import { aloneConfiguration, Server, ServerSnapshots } from './server/index.ts';
import { addAutopilot } from './server-autopilot.ts';
import { autopilotSeed, raftSettings } from './server-settings.ts';
import { addServerMetrics, serverStats } from './server-stats.ts';
import { noWan, Wan } from './wan.ts';

const bootstrapCaller: Caller = { token: '', address: '', call: 'bootstrap', datacenter: '' };
/** How long a server that leaves waits to be taken out of the Raft configuration, ms. */
const leaveMs = 5_000;

export class ServerCluster implements Cluster {
  readonly backend: Backend;
  readonly snapshots: Snapshots;
  readonly routes: readonly Route[];
  readonly failed: Promise<Error>;
  readonly events: NonNullable<Cluster['events']>;
  readonly coordinate: NonNullable<Cluster['coordinate']>;
  readonly keyring: NonNullable<Cluster['keyring']>;
  readonly #input: ClusterInput;
  readonly #late: LateServer;
  readonly #rpc: RpcServer;
  readonly #pool: AgentPool;
  readonly #wan: Wan | undefined;
  readonly #opening: Promise<Server>;
  readonly #caches: readonly { stop(): void }[];
  #bootstrap: BootstrapRun | undefined;
  #stopSampling: () => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;
  #stopped = false;

  static async start(input: ClusterInput): Promise<ServerCluster> {
    const { config, nodeId, log } = input;
    const consent = new BootstrapConsent();
    const newLogId = drawLogId(seededRandom(randomUUID()));
    const late = new LateServer({
      datacenter: config.datacenter,
      nodeName: config.nodeName,
      nodeId,
      holdMs: config.settings.performance.rpc_hold_timeout / 1e6,
      clock: systemClock,
      consent: (voters, belongs) => ({
        agrees: consent.ask(voters, systemClock.monotonicMs(), belongs),
        logId: newLogId,
      }),
    });
    const transport = new GrpcTransport({ id: nodeId, clusterId: config.datacenter });
    const door = new RpcDoor({
      backend: late,
      snapshots: late,
      leading: () => late.server?.leadership.leading ?? false,
      onUnexpected: (error, name) => log.named('rpc').error('a request failed', { name, error: String(error) }),
    });
    const port = input.anyPorts && !config.given.has('ports.server') ? 0 : config.settings.ports.server;
    const rpc = await startRpcServer(config.bindAddress, port, [transport, door]);
    try {
      const { pool, wan } = await openPools(input, rpc.port);
      return new ServerCluster(input, { late, rpc, pool, wan, transport, newLogId });
    } catch (error) {
      rpc.stop();
      throw error;
    }
  }

  private constructor(
    input: ClusterInput,
    parts: {
      readonly late: LateServer;
      readonly rpc: RpcServer;
      readonly pool: AgentPool;
      readonly wan: Wan | undefined;
      readonly transport: GrpcTransport;
      readonly newLogId: number;
    },
  ) {
    this.#input = input;
    this.#late = parts.late;
    this.#rpc = parts.rpc;
    this.#pool = parts.pool;
    this.#wan = parts.wan;
    this.backend = parts.late;
    this.snapshots = parts.late;
    const { routes, caches } = connectParts(input, parts.late);
    this.routes = routes;
    this.#caches = caches;
    const { events, coordinate } = poolParts(this.#pool);
    this.events = events;
    this.coordinate = coordinate;
    const { datacenter } = input.config;
    this.keyring = poolKeys([
      ...(parts.wan === undefined ? [] : [{ wan: true, datacenter, keys: parts.wan.pool.gossip.keys }]),
      { wan: false, datacenter, keys: this.#pool.gossip.keys },
    ]);
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    this.#opening = this.#open(parts.transport, parts.newLogId);
    // Whoever waits for it learns of a failure through `failed`.
    this.#opening.catch((error: unknown) => this.#fail(error as Error));
    this.#pool.joinConfigured((error) => this.#fail(error)).catch((error: unknown) => this.#fail(error as Error));
    this.#wan?.begin(this.#pool, (error) => this.#fail(error));
  }

  async ready(): Promise<void> {
    const server = await this.#opening;
    // For as long as it takes: a majority that is not there yet is no reason to give up.
    while (!this.#stopped) {
      try {
        return await server.leadership.hold(async ({ kind }) =>
          kind === 'nowhere' ? undefined : { answer: undefined },
        );
      } catch (error) {
        if (!(error instanceof BackendError && error.code === 'noLeader')) throw error;
        this.#input.log.named('server').warn('still waiting for a leader', { peers: this.#pool.servers().length });
      }
    }
  }

  members(pool: 'lan' | 'wan'): readonly Member[] | null {
    return pool === 'lan' ? this.#pool.gossip.members().map(memberOf) : (this.#wan?.members() ?? null);
  }

  async join(address: string, pool: 'lan' | 'wan'): Promise<void> {
    if (pool === 'lan') return joinPool(this.#pool, address, this.#input.config.settings.ports.serf_lan);
    if (this.#wan === undefined) throw noWan();
    return this.#wan.join(address);
  }

  /** A server stands in both pools, and is forced out of both. */
  async forceLeave(node: string, { prune, wan }: { readonly prune: boolean; readonly wan: boolean }): Promise<void> {
    if (wan && this.#wan === undefined) throw noWan();
    const name = shortName(node, this.#input.config.datacenter);
    const [there, here] = await Promise.all([
      this.#wan?.forceLeave(node, prune),
      wan ? false : forceLeaveMember(this.#pool, name, prune),
    ]);
    if (there !== true && !here) throw noSuchMember(node);
  }

  /** Hands leadership over, says goodbye, and waits until the others count without it. */
  async leave(): Promise<void> {
    this.#input.log.named('server').info('server starting leave');
    const server = this.#late.server;
    const alone = (server?.raft.status().configuration.voters.length ?? 0) <= 1;
    if (server !== undefined && !alone && server.leadership.leading) {
      await server.raft
        .transferLeadership()
        .catch((error: unknown) =>
          this.#input.log.named('server').warn('leadership could not be handed over', { error: String(error) }),
        );
    }
    await Promise.all([this.#wan?.leave(), this.#pool.leave()]);
    if (server === undefined || alone) return;
    const deadlineMs = systemClock.monotonicMs() + leaveMs;
    const member = (): boolean => server.raft.id in server.raft.status().configuration.addresses;
    while (member() && systemClock.monotonicMs() < deadlineMs)
      await new Promise<void>((resolve) => void systemClock.after(50, resolve));
  }

  async stop(): Promise<void> {
    this.#stopSampling();
    if (this.#stopped) return;
    this.#stopped = true;
    this.#bootstrap?.stop();
    for (const cache of this.#caches) cache.stop();
    this.#late.stop();
    await Promise.all([this.#wan?.stop(), this.#pool.stop()]);
    await this.#late.server?.stop();
    this.#rpc.stop();
  }

  stats(): Readonly<Record<string, Readonly<Record<string, string>>>> {
    return serverStats(this.#input.config, this.#late.server?.raft.status(), this.#pool.gossip.stats(), this.#wan);
  }

  async #open(transport: GrpcTransport, newLogId: number): Promise<Server> {
    const { config, nodeId, dataDir, log } = this.#input;
    const forwarder = new RpcForwarder({
      clock: systemClock,
      addressOf: (id) =>
        this.#input.network?.reaches(nodeId, id) === false
          ? undefined
          : this.#late.server?.raft.status().configuration.addresses[id],
    });
    const rpcAddress = hostPort(config.advertiseAddress, this.#rpc.port);
    const server = await Server.open(
      {
        dataDir,
        datacenter: config.datacenter,
        nodeName: config.nodeName,
        nodeId,
        rpcAddress,
        bootstrap: () => this.#firstConfiguration(rpcAddress),
        newLogId,
        holdMs: config.settings.performance.rpc_hold_timeout / 1e6,
        ...(config.settings.session_ttl_min > 0 ? { sessionTtlMinNs: config.settings.session_ttl_min } : {}),
        autopilot: autopilotSeed(this.#input),
        raftSettings: raftSettings(this.#input),
      },
      {
        clock: systemClock,
        random: seededRandom(randomUUID()),
        transport: this.#input.network?.raft(nodeId, transport) ?? transport,
        members: this.#pool,
        datacenters: this.#wan,
        logger: log.named('server'),
        forwarder,
      },
    );
    if (this.#stopped) {
      await server.stop();
      throw new Error('stopped while it was opened');
    }
    server.raft.onLeaderChange((leaderId) => forwarder.leaderChanged(leaderId));
    installConnect(this.#input, server);
    answerKeyring(server, this.keyring);
    const autopilot = addAutopilot(server, this.#pool, log.named('server'), (address) =>
      asking(address, async (other) => (await other.call('status.server', {}, bootstrapCaller)).id),
    );
    server.addDuty(bootstrapEntries(server, config.settings.config_entries.bootstrap, log.named('server')));
    addServerMetrics(this.#input.metrics, server, autopilot);
    this.#stopSampling = sampleLoopDelay(this.#input.metrics);
    server.raft.onFailure((error) => this.#fail(error));
    this.#late.opened(server, new ServerSnapshots(server, systemClock.wallMs));
    return server;
  }

  async #firstConfiguration(rpcAddress: string): Promise<Configuration | undefined> {
    const { config, nodeId, log } = this.#input;
    if (config.bootstrap || config.dev) return aloneConfiguration(nodeId, rpcAddress);
    const logger = log.named('server');
    this.#bootstrap = new BootstrapRun({
      expect: config.bootstrapExpect,
      datacenter: config.datacenter,
      ownId: nodeId,
      clock: systemClock,
      servers: () => this.#pool.servers(),
      onChange: (callback) => this.#pool.onChange(callback),
      hasPeers: (address) =>
        asking(address, async (other) => (await other.call('status.peers', {}, bootstrapCaller)).length > 0),
      consent: (address, voters) =>
        address === undefined
          ? this.#late.call('bootstrap.consent', { voters }, bootstrapCaller)
          : asking(address, (other) => other.call('bootstrap.consent', { voters }, bootstrapCaller)),
      info: (message, fields) => logger.info(message, fields),
    });
    const voters = await this.#bootstrap.run();
    return voters === undefined ? undefined : configurationOf(voters);
  }
}

/** The WAN pool first: the LAN pool tells where it listens. */
async function openPools(input: ClusterInput, rpcPort: number): Promise<{ pool: AgentPool; wan: Wan | undefined }> {
  const { network, nodeId } = input;
  const edges = () => ({
    clock: systemClock,
    log: input.log.named('server'),
    ...(network === undefined ? {} : { gossip: { transport: network.gossip(nodeId) } }),
  });
  const wan = await Wan.open(input, rpcPort, edges());
  try {
    return { wan, pool: await AgentPool.open(lanPoolOptions(input, rpcPort, wan?.port), edges()) };
  } catch (error) {
    await wan?.stop();
    throw error;
  }
}

function configurationOf(voters: readonly Founder[]): Configuration {
  const logIds = voters.filter(({ logId }) => logId !== 0).map(({ id, logId }) => [id, logId] as const);
  return {
    voters: voters.map(({ id }) => id),
    votersOutgoing: [],
    learners: [],
    addresses: Object.fromEntries(voters.map(({ id, address }) => [id, address])),
    ...(logIds.length === 0 ? {} : { logIds: Object.fromEntries(logIds) }),
  };
}

/** Asks another server once, over a connection of its own. */
async function asking<T>(address: string, ask: (other: Connection) => Promise<T>): Promise<T> {
  const connection = new Connection({ address, forwarded: false });
  try {
    return await ask(connection);
  } finally {
    connection.close();
  }
}

function hostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
