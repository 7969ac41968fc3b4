/** The cluster of a client agent: its place in the gossip pool, and the servers that it finds there. */
import { randomUUID } from 'node:crypto';
import type { Backend, Snapshots } from '../api/backend.ts';
import type { Route } from '../api/http/index.ts';
import type { Member } from '../api/local-agent.ts';
import { seededRandom } from '../std/random.ts';
import { RemoteBackend } from './client/remote-backend.ts';
import { ServerDirectory } from './client/server-directory.ts';
import { systemClock } from './clock.ts';
import type { Cluster, ClusterInput } from './cluster.ts';
import { connectParts } from './identities.ts';
import { LocalError } from './local/errors.ts';
import { AgentPool } from './membership/agent-pool.ts';
import { rpcAddress, shortName } from './membership/tags.ts';
import { remoteKeyring } from './pool-keys.ts';
import { lanPoolOptions, refuseWanJoin } from './pool-options.ts';
import { forceLeaveMember, joinPool, memberOf, noSuchMember, poolParts } from './pool-view.ts';
import { addClientMetrics, clientStats } from './server-stats.ts';

export class ClientCluster implements Cluster {
  readonly backend: Backend;
  readonly snapshots: Snapshots;
  readonly routes: readonly Route[];
  readonly failed: Promise<Error>;
  readonly events: NonNullable<Cluster['events']>;
  readonly coordinate: NonNullable<Cluster['coordinate']>;
  readonly keyring: NonNullable<Cluster['keyring']>;
  readonly #input: ClusterInput;
  readonly #pool: AgentPool;
  readonly #remote: RemoteBackend;
  readonly #caches: readonly { stop(): void }[];
  #fail: (error: Error) => void = () => undefined;

  static async start(input: ClusterInput): Promise<ClientCluster> {
    refuseWanJoin(input, 'Must be a server to join WAN cluster');
    const pool = await AgentPool.open(lanPoolOptions(input, 0, undefined), {
      clock: systemClock,
      log: input.log.named('client'),
    });
    return new ClientCluster(input, pool);
  }

  private constructor(input: ClusterInput, pool: AgentPool) {
    const { config } = input;
    this.#input = input;
    this.#pool = pool;
    const directory = new ServerDirectory(
      () => pool.servers().map((server) => ({ id: server.id, name: server.name, address: rpcAddress(server) })),
      { clock: systemClock, random: seededRandom(randomUUID()) },
    );
    this.#remote = new RemoteBackend(
      {
        datacenter: config.datacenter,
        nodeName: config.nodeName,
        holdMs: config.settings.performance.rpc_hold_timeout / 1e6,
      },
      { directory, clock: systemClock, log: input.log.named('client') },
    );
    pool.onChange(() => this.#remote.serversChanged());
    addClientMetrics(input.metrics, this.#remote.topics);
    this.backend = this.#remote;
    this.snapshots = this.#remote;
    const { routes, caches } = connectParts(input, this.#remote);
    this.routes = routes;
    this.#caches = caches;
    const { events, coordinate } = poolParts(this.#pool);
    this.events = events;
    this.coordinate = coordinate;
    this.keyring = remoteKeyring(this.#remote);
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    pool.joinConfigured((error) => this.#fail(error)).catch((error: unknown) => this.#fail(error as Error));
  }

  /** A client serves what it can without servers; anti-entropy finds them when they are there. */
  ready(): Promise<void> {
    return Promise.resolve();
  }

  members(pool: 'lan' | 'wan'): readonly Member[] | null {
    return pool === 'lan' ? this.#pool.gossip.members().map(memberOf) : null;
  }

  async join(address: string, pool: 'lan' | 'wan'): Promise<void> {
    if (pool === 'wan') throw new LocalError('failed', 'Must be a server to join WAN cluster');
    return joinPool(this.#pool, address, this.#input.config.settings.ports.serf_lan);
  }

  async forceLeave(node: string, { prune, wan }: { readonly prune: boolean; readonly wan: boolean }): Promise<void> {
    if (wan) throw new LocalError('failed', 'Must be a server to leave the WAN cluster');
    const name = shortName(node, this.#input.config.datacenter);
    if (!(await forceLeaveMember(this.#pool, name, prune))) throw noSuchMember(node);
  }

  async leave(): Promise<void> {
    this.#input.log.named('client').info('client starting leave');
    await this.#pool.leave();
  }

  async stop(): Promise<void> {
    for (const cache of this.#caches) cache.stop();
    this.#remote.stop();
    await this.#pool.stop();
  }

  stats(): Readonly<Record<string, Readonly<Record<string, string>>>> {
    return clientStats(this.#input.config, this.#pool.servers().length, this.#pool.gossip.stats(), this.#remote.topics);
  }
}
