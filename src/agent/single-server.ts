/**
 * The cluster of an agent that is a server by itself: Raft with one voter, a pool whose only member it is, and the
 * certificate authority of its datacenter.
 */
import { randomUUID } from 'node:crypto';
import type { Backend, Snapshots } from '../api/backend.ts';
import type { Route } from '../api/http/index.ts';
import type { Member } from '../api/local-agent.ts';
import { MemoryNetwork, type RaftSettings } from '../raft/index.ts';
import { seededRandom } from '../std/random.ts';
import { interfaceVersion } from '../version.ts';
import { systemClock } from './clock.ts';
import type { Cluster, ClusterInput } from './cluster.ts';
import type { AgentConfig } from './config/index.ts';
import { dial, splitAddress } from './dial.ts';
import { dialError } from './local/checks/net-errors.ts';
import { LocalError } from './local/errors.ts';
import { encodeTags, type PoolMember } from './membership/tags.ts';
import { aloneConfiguration, type MemberSource, Server, ServerSnapshots } from './server/index.ts';
import { addAutopilot } from './server-autopilot.ts';
import { connectParts } from './server-connect.ts';
import { serverStats } from './server-stats.ts';

const delegate = { DelegateMin: 2, DelegateMax: 5, DelegateCur: 4 };

export class SingleServer implements Cluster {
  readonly backend: Backend;
  readonly snapshots: Snapshots;
  readonly routes: readonly Route[];
  readonly failed: Promise<Error>;
  readonly #input: ClusterInput;
  readonly #server: Server;
  readonly #caches: readonly { stop(): void }[];

  static async start(input: ClusterInput): Promise<SingleServer> {
    const { config, nodeId, dataDir, log } = input;
    const rpcAddress = `${config.advertiseAddress}:${config.settings.ports.server}`;
    const own = ownMember(config, nodeId);
    const alone = aloneInPool(own);
    const server = await Server.open(
      {
        dataDir,
        datacenter: config.datacenter,
        nodeName: config.nodeName,
        nodeId,
        rpcAddress,
        bootstrap: aloneConfiguration(nodeId, rpcAddress),
        holdMs: config.settings.performance.rpc_hold_timeout / 1e6,
        ...(config.settings.session_ttl_min > 0 ? { sessionTtlMinNs: config.settings.session_ttl_min } : {}),
        raftSettings: raftSettings(config, input),
      },
      {
        clock: systemClock,
        random: seededRandom(randomUUID()),
        // Nobody else votes: nothing is ever sent.
        transport: new MemoryNetwork().transport(nodeId),
        members: alone,
        logger: log.named('server'),
      },
    );
    addAutopilot(server, alone, log);
    return new SingleServer(input, server);
  }

  private constructor(input: ClusterInput, server: Server) {
    this.#input = input;
    this.#server = server;
    this.backend = server;
    const parts = connectParts(input, server);
    this.routes = parts.routes;
    this.#caches = parts.caches;
    this.snapshots = new ServerSnapshots(server, systemClock.wallMs);
    this.failed = new Promise((resolve) => server.raft.onFailure(resolve));
    addMetrics(input, server);
  }

  async ready(): Promise<void> {
    await this.#server.leadership.hold(async (place) => (place.kind === 'here' ? { answer: undefined } : undefined));
    await this.#server.raft.readBarrier('lease');
  }

  members(pool: 'lan' | 'wan'): readonly Member[] {
    const { config, nodeId } = this.#input;
    const own = ownMember(config, nodeId);
    const wan = pool === 'wan';
    return [
      {
        Name: wan ? `${own.name}.${config.datacenter}` : own.name,
        Addr: wan ? config.advertiseAddressWan : own.address,
        Port: wan ? config.settings.ports.serf_wan : own.port,
        Tags: wan ? withoutWanPort(own.tags) : own.tags,
        Status: 1,
        ProtocolMin: own.protocolMin,
        ProtocolMax: own.protocolMax,
        ProtocolCur: own.protocolCur,
        ...delegate,
      },
    ];
  }

  /** Joining oneself is fine; there is no pool to join others with. */
  async join(address: string, pool: 'lan' | 'wan'): Promise<void> {
    const { config } = this.#input;
    const { host, port } = splitAddress(
      address,
      pool === 'lan' ? config.settings.ports.serf_lan : config.settings.ports.serf_wan,
    );
    const failed = (text: string): LocalError => new LocalError('failed', `1 error occurred:\n\t* ${text}\n\n`);
    if (host === '') throw failed('Failed to resolve : lookup : no such host');
    if (host === config.advertiseAddress || host === config.nodeName) return;
    const error = await dial(host, port);
    if (error === undefined)
      throw failed(`Failed to join ${host}:${port}: this agent is a single server and joins no pool`);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
      throw failed(`Failed to resolve ${host}: lookup ${host}: no such host`);
    throw failed(`Failed to join ${host}:${port}: ${dialError(error, `${host}:${port}`)}`);
  }

  /** The only member is alive: it refutes that it is gone. */
  async forceLeave(node: string): Promise<void> {
    const { config } = this.#input;
    if (node === config.nodeName || node === `${config.nodeName}.${config.datacenter}`) return;
    throw new LocalError('failed', `agent: No node found with name '${node}'`);
  }

  /** Nobody else is there to be told. */
  async leave(): Promise<void> {
    this.#input.log.named('server').info('server starting leave');
  }

  async stop(): Promise<void> {
    for (const cache of this.#caches) cache.stop();
    await this.#server.stop();
  }

  stats(): Readonly<Record<string, Readonly<Record<string, string>>>> {
    return serverStats(this.#input.config, this.#server.raft.status());
  }
}

/** The WAN pool does not tell where it is itself. */
function withoutWanPort({
  wan_join_port: _,
  ...tags
}: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return tags;
}

/** A pool that nobody joins or leaves. */
function aloneInPool(own: PoolMember): MemberSource {
  return { members: () => [own], onChange: () => () => undefined };
}

function ownMember(config: AgentConfig, nodeId: string): PoolMember {
  const { settings } = config;
  const tags = encodeTags({
    role: 'server',
    datacenter: config.datacenter,
    id: nodeId,
    build: interfaceVersion,
    aclsEnabled: config.aclsEnabled,
    rpcPort: settings.ports.server,
    bootstrap: config.bootstrap,
    bootstrapExpect: config.bootstrapExpect,
    usesTls: false,
  });
  return {
    name: config.nodeName,
    address: config.advertiseAddress,
    port: settings.ports.serf_lan,
    tags: settings.ports.serf_wan > 0 ? { ...tags, wan_join_port: String(settings.ports.serf_wan) } : tags,
    status: 'alive',
    protocolMin: 1,
    protocolMax: 5,
    protocolCur: 2,
  };
}

/** Checkpoints as configured, where it says so: our log is another one, and has defaults of its own. */
function raftSettings(config: AgentConfig, _input: ClusterInput): Partial<RaftSettings> {
  const { settings, given } = config;
  return {
    ...(given.has('raft_snapshot_threshold') ? { checkpointEntries: settings.raft_snapshot_threshold } : {}),
    ...(given.has('raft_trailing_logs') ? { trailingEntries: settings.raft_trailing_logs } : {}),
  };
}

function addMetrics({ metrics }: ClusterInput, server: Server): void {
  const status = () => server.raft.status();
  metrics.gauge('raft.applied_index', () => status().appliedIndex);
  metrics.gauge('raft.last_index', () => status().lastLogIndex);
  metrics.gauge('raft.commit_index', () => status().commitIndex);
  metrics.gauge('raft.peers', () => status().configuration.voters.length);
  metrics.gauge('raft.term', () => status().term);
  metrics.gauge('raft.pending_proposals', () => status().pendingProposals);
  metrics.gauge('server.isLeader', () => (status().role === 'leader' ? 1 : 0));
  metrics.gauge('autopilot.healthy', () => (status().role === 'leader' ? 1 : 0));
  metrics.gauge('autopilot.failure_tolerance', () => 0);
  metrics.gauge('rpc.queries_blocking', () => server.state.store.waiting);
}
