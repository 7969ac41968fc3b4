/**
 * A cluster under virtual time: real Raft and the real state machine of N servers in one process, on a network, disks and a
 * clock that a seed decides. Time passes only while something is awaited (a write, a leader, `advance`), so a minute of
 * failures takes milliseconds, and the same seed with the same calls gives the same run, to the last event.
 *
 * Not in it: doors (HTTP, DNS), gossip, and the leader's duties, such as ending sessions whose TTL has passed.
 */
import {
  type CommandArgs,
  type CommandName,
  type CommandResult,
  type QueryArgs,
  type QueryName,
  type QueryValue,
  queries,
} from '../fsm/index.ts';
import { RaftError, type RaftSettings, type RaftStatus } from '../raft/index.ts';
import { seededRandom } from '../std/random.ts';
import { SimNetwork } from './sim/network.ts';
import { VirtualRun } from './sim/virtual-run.ts';
import { VirtualTime } from './sim/virtual-time.ts';
import { SimulatedServer, type SimulatedWorld } from './simulated-server.ts';

export interface SimulationOptions {
  /** Decides everything that is left to chance. Drawn if absent: `cluster.seed` tells it, for the next run. */
  readonly seed?: string | number;
  /** Lines of what happens: virtual milliseconds, server, event. */
  readonly log?: (line: string) => void;
  /** How long a call waits, virtual ms. */
  readonly timeoutMs?: number;
  /** Other settings of Raft: `checkpointEntries` and `trailingEntries` for a test of late servers, say. */
  readonly raft?: Partial<RaftSettings>;
}

export interface At {
  /** The server that is asked, whatever its role; the leader if absent. */
  readonly at?: number;
}

export interface ReadAt extends At {
  /** As over HTTP: `default` by the leader's lease, `consistent` by a round of its own, `stale` whatever the server has. */
  readonly consistency?: 'default' | 'consistent' | 'stale';
}

export interface SimulatedEntry {
  readonly value: string;
  readonly modifyIndex: number;
}

/** Shares of all messages, 0 to 1. */
export interface Disturbance {
  readonly loss?: number;
  readonly duplicates?: number;
  /** Late by up to three seconds, and so out of order. */
  readonly late?: number;
}

/** One to three milliseconds to each server, mostly. */
const calm = { lossRate: 0, duplicateRate: 0, lateRate: 0, delayMsMin: 0.2, delayMsMean: 1 };

export class SimulatedCluster {
  readonly seed: string;
  readonly #options: SimulationOptions;
  readonly #time: VirtualTime;
  readonly #run: VirtualRun;
  readonly #network: SimNetwork;
  readonly #servers: readonly SimulatedServer[];
  readonly #cuts: [from: string, to: string][] = [];

  static async start(servers: number, options: SimulationOptions = {}): Promise<SimulatedCluster> {
    if (!Number.isInteger(servers) || servers < 1)
      throw new RangeError(`a cluster has at least one server, not ${servers}`);
    const cluster = new SimulatedCluster(servers, options);
    await cluster.leader();
    return cluster;
  }

  private constructor(servers: number, options: SimulationOptions) {
    this.seed = String(options.seed ?? process.hrtime.bigint());
    this.#options = options;
    const random = seededRandom(this.seed);
    this.#time = new VirtualTime(random);
    this.#run = new VirtualRun(this.#time);
    this.#network = new SimNetwork(calm, random, this.#time, {
      sent: () => {},
      arrive: (to, handle) => this.#servers.find(({ id }) => id === to)?.arrive(handle),
      mark: () => {},
    });
    const world: SimulatedWorld = {
      time: this.#time,
      network: this.#network,
      random,
      settings: options.raft ?? {},
      note: (who, what) => this.#note(who, what),
      failed: (error, expected) => {
        if (!expected) this.#run.fail(error);
      },
      died: (id) => this.#connectionsBreak(id),
    };
    this.#servers = Array.from({ length: servers }, (_, i) => new SimulatedServer(`s${i}`, world));
    const voters = this.#servers.map(({ id }) => id);
    const addresses = Object.fromEntries(voters.map((id) => [id, id]));
    for (const server of this.#servers) server.start({ voters, votersOutgoing: [], learners: [], addresses });
  }

  get size(): number {
    return this.#servers.length;
  }

  /** Virtual milliseconds since the world began. */
  get nowMs(): number {
    return this.#time.nowMs;
  }

  /** Lets this much time pass. */
  async advance(ms: number): Promise<void> {
    await this.#run.until(() => false, ms);
  }

  /**
   * The server that leads, once a majority follows it: it has answered a consistent read. In a partition that is the leader
   * of the larger side.
   */
  async leader(): Promise<number> {
    const asked = new Set<string>();
    let found: number | undefined;
    await this.#within('a leader', () => {
      for (const [index, { node }] of this.#servers.entries()) {
        if (node === undefined) continue;
        const { role, term } = node.status();
        const question = `${index}/${term}`;
        if (role !== 'leader' || asked.has(question)) continue;
        asked.add(question);
        node.readBarrier('readIndex').then(
          () => {
            found = index;
          },
          // It leads no longer: another does, or will.
          () => undefined,
        );
      }
      return found !== undefined;
    });
    return found!;
  }

  /** Sets a key. An error `leadershipLost` or `stopped` leaves the outcome unknown, as with a real cluster. */
  put(key: string, value: string, where: At = {}): Promise<boolean> {
    return this.apply('kv.set', { Key: key, Value: Buffer.from(value), Flags: 0 }, where);
  }

  /** Sets a key if its modify index is the one given; 0: if it is absent. The result says whether it was. */
  cas(key: string, value: string, modifyIndex: number, where: At = {}): Promise<boolean> {
    return this.apply('kv.cas', { Key: key, Value: Buffer.from(value), Flags: 0, Index: modifyIndex }, where);
  }

  async get(key: string, where: ReadAt = {}): Promise<SimulatedEntry | undefined> {
    const entry = await this.query('kv.get', { key }, where);
    if (entry === null) return undefined;
    return { value: Buffer.from(entry.Value ?? []).toString('utf8'), modifyIndex: entry.ModifyIndex };
  }

  /** Carries out any command of Heddle's state machine (`session.create`, `catalog.register`, …). Rejects with its Refusal. */
  apply<N extends CommandName>(name: N, args: CommandArgs<N>, where: At = {}): Promise<CommandResult<N>> {
    return this.#ask(`${name} to be applied`, where, (server) => server.propose(name, args));
  }

  /** Any query of Heddle's state machine. */
  async query<N extends QueryName>(name: N, args: QueryArgs<N>, where: ReadAt = {}): Promise<QueryValue<N>> {
    const { consistency = 'default' } = where;
    const run = queries[name] as unknown as Parameters<SimulatedServer['state']['store']['read']>[0];
    return this.#ask(`an answer to ${name}`, where, async (server) => {
      if (server.node === undefined) throw new RaftError('stopped');
      if (consistency !== 'stale') await server.node.readBarrier(consistency === 'default' ? 'lease' : 'readIndex');
      return server.state.store.read(run, args as never).value as QueryValue<N>;
    });
  }

  /** Raft's view of a server; undefined while it is stopped or starting. */
  status(index: number): RaftStatus | undefined {
    return this.#server(index).node?.status();
  }

  /** Equal on servers that applied the same entries. */
  stateHash(index: number): string {
    return this.#server(index).state.hash();
  }

  /** Ends a server without a word to the others. What it has acknowledged is on its disk. */
  stop(index: number): Promise<void> {
    this.crash(index);
    return Promise.resolve();
  }

  /** As `stop`; with `powerLoss`, what its kernel had not written is gone too. */
  crash(index: number, { powerLoss = false }: { readonly powerLoss?: boolean } = {}): void {
    this.#server(index).crash(powerLoss);
  }

  /** Starts a server again, on its data; stops it first if it runs. Resolves when it knows a leader. */
  async restart(index: number): Promise<void> {
    const server = this.#server(index);
    server.crash(false);
    server.start();
    await this.#within(`${server.id} to know a leader`, () => server.node?.status().leaderId !== undefined);
  }

  /** It does nothing until `resume`, as after SIGSTOP; its connections stay open. */
  pause(index: number): void {
    this.#server(index).pause();
  }

  resume(index: number): void {
    this.#server(index).resume();
  }

  /** Each group of servers hears itself alone. Servers that are in no group stand together. */
  partition(...groups: readonly (readonly number[])[]): void {
    this.#mend();
    const sides = new Map<number, number>();
    for (const [side, group] of groups.entries()) for (const index of group) sides.set(this.#known(index), side);
    for (let from = 0; from < this.size; from++) {
      for (let to = 0; to < this.size; to++) if (sides.get(from) !== sides.get(to)) this.cut(from, to);
    }
    this.#note('--', `partition ${JSON.stringify(groups)}`);
  }

  /** Nothing passes from one server to another any more; the other direction stays as it is. */
  cut(from: number, to: number): void {
    const link: [string, string] = [this.#server(from).id, this.#server(to).id];
    this.#cuts.push(link);
    this.#network.cut(...link);
  }

  /** The network loses, doubles and delays messages until `heal`. */
  disturb({ loss = 0, duplicates = 0, late = 0 }: Disturbance): void {
    this.#network.lossRate = loss;
    this.#network.duplicateRate = duplicates;
    this.#network.lateRate = late;
  }

  /** The network is whole and calm again. Servers that are stopped or paused stay so. */
  heal(): void {
    this.#cuts.length = 0;
    this.#network.heal();
    this.#note('--', 'heal');
  }

  /** Every write to a server's log takes about this long from now on; 1 to begin with. */
  slowDisk(index: number, latencyMs: number): void {
    this.#server(index).disk.latencyMs = latencyMs;
  }

  /** The next write to a server's log fails: the server stops, as it must, until it is restarted. */
  failDisk(index: number): void {
    this.#server(index).disk.failNext = true;
  }

  /** Whether a server has a process. One that met a disk error has none. */
  isRunning(index: number): boolean {
    return this.#server(index).isRunning;
  }

  /** Stops all. */
  close(): Promise<void> {
    for (const server of this.#servers) server.crash(false);
    return Promise.resolve();
  }

  /** Asks one server; without one, whichever leads, again while the answer is for certain that nothing was done. */
  async #ask<T>(what: string, { at }: At, question: (server: SimulatedServer) => Promise<T>): Promise<T> {
    for (;;) {
      const index = at ?? (await this.leader());
      try {
        return await this.#settled(what, question(this.#server(index)));
      } catch (error) {
        const undone = error instanceof RaftError && (error.code === 'notLeader' || error.code === 'transferring');
        if (at !== undefined || !undone) throw error;
      }
    }
  }

  async #settled<T>(what: string, promise: Promise<T>): Promise<T> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    await this.#within(what, () => settled);
    return promise;
  }

  async #within(what: string, fulfilled: () => boolean): Promise<void> {
    const { timeoutMs = 30_000 } = this.#options;
    if (!(await this.#run.until(fulfilled, timeoutMs)))
      throw new Error(`waited ${timeoutMs} virtual ms in vain for ${what} (seed ${this.seed})`);
  }

  #connectionsBreak(id: string): void {
    for (const server of this.#servers) {
      if (server.id === id) continue;
      this.#time.schedule(calm.delayMsMin, () => {
        if (this.#network.passes(id, server.id)) server.arrive((handlers) => handlers.peerBroken(id));
      });
    }
  }

  #mend(): void {
    for (const link of this.#cuts) this.#network.mend(...link);
    this.#cuts.length = 0;
  }

  #note(who: string, what: string): void {
    this.#options.log?.(`${this.#time.nowMs.toFixed(3).padStart(11)} ${who.padEnd(3)} ${what}`);
  }

  #server(index: number): SimulatedServer {
    return this.#servers[this.#known(index)]!;
  }

  #known(index: number): number {
    if (!Number.isInteger(index) || index < 0 || index >= this.size)
      throw new RangeError(`there is no server ${index} in a cluster of ${this.size}`);
    return index;
  }
}
