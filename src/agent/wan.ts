/**
 * A server's second pool, of the servers of all datacenters: who they are, how far away, and the keys that they share. It shows
 * and counts them; requests are not passed on to other datacenters.
 */
import type { Member } from '../api/local-agent.ts';
import { coordinateDistance, type DatacenterCoordinates, type NodeCoordinate } from '../structs/index.ts';
import { systemClock } from './clock.ts';
import type { ClusterInput } from './cluster.ts';
import { LocalError } from './local/errors.ts';
import { AgentPool, type AgentPoolEdges } from './membership/agent-pool.ts';
import { serverOf, shortName, wanName } from './membership/tags.ts';
import { WanFlood } from './membership/wan-flood.ts';
import { refuseWanJoin, wanPoolOptions } from './pool-options.ts';
import { coordinateForm, forceLeaveMember, joinPool, memberOf } from './pool-view.ts';

export interface WanInput extends Pick<ClusterInput, 'config' | 'log'> {
  readonly pool: AgentPool;
}

export class Wan {
  readonly pool: AgentPool;
  readonly #input: WanInput;
  #flood: WanFlood | undefined;

  /** Undefined where the configuration turns it off. Throws GossipError for an address that cannot be bound. */
  static async open(input: ClusterInput, rpcPort: number, edges: AgentPoolEdges): Promise<Wan | undefined> {
    const options = wanPoolOptions(input, rpcPort);
    if (options === undefined) {
      refuseWanJoin(input, noWan().message);
      return undefined;
    }
    return new Wan({ config: input.config, log: input.log, pool: await AgentPool.open(options, edges) });
  }

  constructor(input: WanInput) {
    this.#input = input;
    this.pool = input.pool;
  }

  get port(): number {
    return this.pool.gossip.local().port;
  }

  /** From now on the servers of the LAN pool are led here, and those that the configuration names are joined. */
  begin(lan: AgentPool, failed: (error: Error) => void): void {
    const log = this.#input.log.named('server.serf.wan');
    this.#flood = new WanFlood(this.#input.config.nodeName, {
      clock: systemClock,
      servers: () => lan.servers(),
      onLanChange: (callback) => lan.onChange(callback),
      knows: (name) => this.pool.members().some((member) => member.name === name && member.status === 'alive'),
      join: (address) => this.pool.join([address]),
      debug: (message, fields) => log.debug(message, fields),
    });
    this.#flood.start();
    this.pool.joinConfigured(failed).catch((error: unknown) => failed(error as Error));
  }

  members(): Member[] {
    return this.pool.gossip.members().map(memberOf);
  }

  join(address: string): Promise<void> {
    return joinPool(this.pool, address, this.#input.config.settings.ports.serf_wan);
  }

  /** `name` is short for a server of this datacenter. False when there is no such member. */
  forceLeave(name: string, prune: boolean): Promise<boolean> {
    const { datacenter } = this.#input.config;
    const known = this.pool.members().some((member) => member.name === name);
    return forceLeaveMember(this.pool, known ? name : wanName(shortName(name, datacenter), datacenter), prune);
  }

  /** Names of the datacenters, ours first, then by the median round trip to their servers, then by name. */
  datacenters(): string[] {
    const { datacenter: own } = this.#input.config;
    const distances = new Map<string, number[]>([[own, []]]);
    const here = coordinateForm(this.pool.gossip.coordinate());
    for (const member of this.pool.members()) {
      const server = serverOf(member);
      if (server === undefined || server.status === 'left') continue;
      const there = this.pool.gossip.coordinateOf(member.name);
      const list = distances.get(server.datacenter) ?? [];
      list.push(there === undefined ? Number.POSITIVE_INFINITY : coordinateDistance(here, coordinateForm(there)));
      distances.set(server.datacenter, list);
    }
    return [...distances]
      .map(([name, list]) => ({ name, distance: name === own ? 0 : median(list) }))
      .sort(
        (a, b) =>
          compare(Number(a.name !== own), Number(b.name !== own)) ||
          compare(a.distance, b.distance) ||
          compare(a.name, b.name),
      )
      .map(({ name }) => name);
  }

  /** Where the servers of each datacenter stand, as far as known. */
  coordinates(): DatacenterCoordinates[] {
    const areas = new Map<string, NodeCoordinate[]>();
    for (const member of this.pool.members()) {
      const server = serverOf(member);
      const at = this.pool.gossip.coordinateOf(member.name);
      if (server === undefined || server.status === 'left' || at === undefined) continue;
      const list = areas.get(server.datacenter) ?? [];
      list.push({ Node: shortName(member.name, server.datacenter), Segment: '', Coord: coordinateForm(at) });
      areas.set(server.datacenter, list);
    }
    return [...areas].map(([Datacenter, Coordinates]) => ({ Datacenter, AreaID: 'wan', Coordinates }));
  }

  async leave(): Promise<void> {
    this.#flood?.stop();
    await this.pool.leave();
  }

  async stop(): Promise<void> {
    this.#flood?.stop();
    await this.pool.stop();
  }
}

export const noWan = (): LocalError => new LocalError('failed', 'WAN federation is disabled');

function median(values: readonly number[]): number {
  return [...values].sort(compare)[Math.floor(values.length / 2)] ?? Number.POSITIVE_INFINITY;
}

/** Subtraction would make NaN of two infinities. */
function compare(a: number | string, b: number | string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
