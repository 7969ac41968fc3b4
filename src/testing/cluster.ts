/**
 * A cluster of real servers inside a test: Raft on disk in a temporary folder, gossip and RPC over loopback, ports that the
 * system chooses. What a test does to it (stop, restart, partition) is what happens to real ones.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from '../agent/index.ts';
import { CutNetwork } from './cut-network.ts';
import { SimulatedCluster, type SimulationOptions } from './simulated-cluster.ts';

export interface ClusterOptions {
  /** More configuration for every server, as a JSON file would hold it. */
  readonly given?: Readonly<Record<string, unknown>>;
  /** Lines of all logs, each behind the name of its server. */
  readonly log?: (line: string) => void;
  /** How long `start`, `restart` and `leader` wait, ms. */
  readonly timeoutMs?: number;
}

/** Failures are seen within a second or two: tests do not want to wait as long as a data centre. */
const quick = {
  gossip_lan: { probe_interval: '200ms', probe_timeout: '100ms', gossip_interval: '50ms', suspicion_mult: 2 },
};

interface Place {
  readonly name: string;
  readonly nodeId: string;
  agent: Agent | undefined;
  /** Where it listened, so that it comes back there. */
  ports: Readonly<Record<string, number>>;
}

export class Cluster {
  readonly #folder: string;
  readonly #options: ClusterOptions;
  readonly #network = new CutNetwork();
  readonly #places: Place[];

  /** Starts servers and resolves when they have a leader. Throws when they have none in time; then nothing is left of them. */
  static async start(servers: number, options: ClusterOptions = {}): Promise<Cluster> {
    if (!Number.isInteger(servers) || servers < 1)
      throw new RangeError(`a cluster has at least one server, not ${servers}`);
    const cluster = new Cluster(servers, await mkdtemp(join(tmpdir(), 'heddle-testing-')), options);
    try {
      await cluster.#startAll();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /**
   * Servers in a world of its own: virtual time, and a network and disks that fail as told, all decided by a seed. It resolves
   * when they have a leader, after no real time to speak of.
   */
  static simulate(servers: number, options: SimulationOptions = {}): Promise<SimulatedCluster> {
    return SimulatedCluster.start(servers, options);
  }

  private constructor(servers: number, folder: string, options: ClusterOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#places = Array.from({ length: servers }, (_, i) => ({
      name: `s${i}`,
      nodeId: randomUUID(),
      agent: undefined,
      ports: {},
    }));
  }

  get size(): number {
    return this.#places.length;
  }

  /** `http://127.0.0.1:PORT` of each server; '' for one that is stopped. */
  get httpAddresses(): readonly string[] {
    return this.#places.map(({ agent }) => agent?.httpAddress ?? '');
  }

  /** Throws for a server that is stopped. */
  server(index: number): Agent {
    const { agent, name } = this.#place(index);
    if (agent === undefined) throw new Error(`server ${index} (${name}) is stopped`);
    return agent;
  }

  /**
   * The server that leads, once a majority follows it: it has answered a consistent read. In a partition that is the leader
   * of the larger side.
   */
  async leader(): Promise<number> {
    return this.#within('a leader', async () => {
      for (const [index, { agent }] of this.#places.entries()) {
        if (agent !== undefined && agent.httpAddress !== '' && (await leads(agent.httpAddress))) return index;
      }
      return undefined;
    });
  }

  /** Ends a server without a word to the others, as a crash does. What it has acknowledged is on its disk. */
  async stop(index: number): Promise<void> {
    const place = this.#place(index);
    const { agent } = place;
    place.agent = undefined;
    await agent?.stop();
  }

  /** Starts a server again, on its data and at its address; stops it first if it runs. Resolves when it knows a leader. */
  async restart(index: number): Promise<void> {
    await this.stop(index);
    await this.#launch(this.#place(index));
  }

  /** Each group of servers hears itself alone. Servers that are in no group stand together. */
  partition(...groups: readonly (readonly number[])[]): void {
    this.#network.partition(groups.map((group) => group.map((index) => this.#place(index).nodeId)));
  }

  heal(): void {
    this.#network.heal();
  }

  /** Stops all and removes their data. */
  async close(): Promise<void> {
    await Promise.all(this.#places.map((_, index) => this.stop(index)));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #startAll(): Promise<void> {
    const starting: Promise<void>[] = [];
    for (const place of this.#places) {
      const started = this.#launch(place);
      // Told by the await below; until then nobody listens.
      started.catch(() => undefined);
      starting.push(started);
      await this.#within(`${place.name} to open`, async () => (place.ports.serf_lan === undefined ? undefined : true));
    }
    await Promise.all(starting);
    await this.leader();
  }

  async #launch(place: Place): Promise<void> {
    const { given = {}, log } = this.#options;
    const seeds = this.#places.flatMap(({ ports, name }) =>
      name !== place.name && ports.serf_lan !== undefined ? [`127.0.0.1:${ports.serf_lan}`] : [],
    );
    const starting = Agent.start({
      anyPorts: true,
      network: this.#network,
      given: {
        ...quick,
        server: true,
        bootstrap_expect: this.size,
        node_name: place.name,
        node_id: place.nodeId,
        bind_addr: '127.0.0.1',
        data_dir: join(this.#folder, place.name),
        ports: place.ports,
        retry_interval: '200ms',
        ...(seeds.length === 0 ? {} : { retry_join: seeds }),
        ...given,
      },
      onConfigured: (agent) => {
        place.agent = agent;
      },
      ...(log === undefined ? {} : { output: (line: string) => log(`${place.name} ${line}`) }),
    });
    starting.catch(() => undefined);
    await this.#within(`${place.name} to open`, async () => {
      const { agent } = place;
      if (agent === undefined || agent.httpAddress === '') return undefined;
      place.ports = await portsOf(agent.httpAddress);
      return true;
    });
    await starting;
  }

  async #within<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const { timeoutMs = 30_000 } = this.#options;
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const value = await look();
      if (value !== undefined) return value;
      if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
      await delay(20);
    }
  }

  #place(index: number): Place {
    const place = this.#places[index];
    if (place === undefined) throw new RangeError(`there is no server ${index} in a cluster of ${this.size}`);
    return place;
  }
}

async function leads(address: string): Promise<boolean> {
  try {
    const self = (await (await fetch(`${address}/v1/agent/self`)).json()) as { Stats: { consul: { leader: string } } };
    if (self.Stats.consul.leader !== 'true') return false;
    const read = await fetch(`${address}/v1/kv/?keys&consistent`, { signal: AbortSignal.timeout(1_000) });
    await read.body?.cancel();
    return read.status === 200 || read.status === 404;
  } catch {
    // It is starting, stopping, or cut off: it is not the one.
    return false;
  }
}

async function portsOf(address: string): Promise<Record<string, number>> {
  const self = (await (await fetch(`${address}/v1/agent/self`)).json()) as {
    Member: { Port: number; Tags: Record<string, string> };
  };
  return { serf_lan: self.Member.Port, server: Number(self.Member.Tags.port) };
}
