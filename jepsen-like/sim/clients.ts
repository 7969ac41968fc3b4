/**
 * Clients of the simulation, each sequential: write, compare-and-set, read, on whatever server they believe leads. An operation whose
 * outcome is unknown ends the client's identity (its effect may still come), and a new one goes on.
 */
import { RaftError, type ReadMode } from '../../src/raft/index.ts';
import type { Random } from '../../src/std/random.ts';
import type { Operation, Outcome } from '../history.ts';
import { bystand } from './bystanders.ts';
import { propose } from './door.ts';
import type { SimServer } from './server.ts';
import type { World } from './world.ts';

const giveUpMs = 3_000;

export class SimClient {
  readonly #world: World;
  readonly #random: Random;
  #process: number;
  #server: SimServer | undefined;
  #stopped = false;
  readonly #mix: World['swarm']['mix'];

  constructor(world: World, number: number) {
    this.#world = world;
    this.#random = world.random.stream(`client/${number}`);
    this.#process = world.nextProcess();
    this.#mix = number < world.swarm.readers ? [number % 2 === 0 ? 'leaseRead' : 'read'] : world.swarm.mix;
  }

  start(): void {
    this.#pause();
  }

  stop(): void {
    this.#stopped = true;
  }

  #pause(): void {
    this.#world.time.schedule(this.#random.next() * this.#world.swarm.thinkMs, () => {
      if (!this.#stopped) this.#operate();
    });
  }

  #operate(): void {
    const world = this.#world;
    const server = this.#choose();
    if (server?.raft === undefined || server.paused) return this.#retryElsewhere();
    const key = `k${this.#random.int(1, world.swarm.keys)}`;
    const kind = this.#random.pick(this.#mix);
    const writes = kind === 'write' || kind === 'cas';
    if (writes ? world.writersRest : world.readersRest) return this.#pause();
    const startMs = world.time.nowMs;
    let finished = false;
    const finish = (outcome: Outcome, output: unknown, error: string | undefined, input: unknown): void => {
      if (finished) return;
      finished = true;
      const op = kind === 'leaseRead' ? 'read' : kind;
      const operation: Operation = {
        client: this.#process,
        server: world.servers.indexOf(server),
        ...{ op, key, input, output, outcome, startMs, endMs: world.time.nowMs },
        ...(error === undefined ? {} : { error }),
      };
      world.operated(operation, kind);
      if (outcome === 'unknown') this.#process = world.nextProcess();
      this.#pause();
    };
    if (kind === 'read' || kind === 'leaseRead') {
      this.#read(server, key, kind === 'read' ? 'readIndex' : 'lease', finish);
    } else this.#write(server, key, kind, finish);
  }

  #write(
    server: SimServer,
    key: string,
    kind: string,
    finish: (outcome: Outcome, output: unknown, error: string | undefined, input: unknown) => void,
  ): void {
    const world = this.#world;
    const id = world.nextCommand();
    // Heddle's own compare-and-set names the index of the key in this server's state, absent or not (`door.ts`): so that is what it asks.
    const known = server.heddle === undefined ? world.lastSeen.get(key) : server.heddle.register(key).value;
    const expect = kind === 'cas' ? (known ?? null) : undefined;
    const input = kind === 'cas' ? { from: expect, to: id } : id;
    const padding =
      world.swarm.payloadBytes > 0 ? 'x'.repeat(this.#random.int(0, world.swarm.payloadBytes)) : undefined;
    world.time.schedule(giveUpMs, () => finish('unknown', undefined, 'timeout', input));
    propose(server, {
      ...{ id, key, value: id },
      ...(kind === 'cas' ? { expect: expect! } : {}),
      ...(padding ? { padding } : {}),
      ...(server.machine.format > 1 && this.#random.chance(0.3) ? { format: server.machine.format } : {}),
    }).then(
      ({ index, applied }) => {
        world.acknowledged(id, index);
        world.lastSeen.set(key, id);
        finish('ok', applied, undefined, input);
      },
      (error: unknown) => {
        const code = error instanceof RaftError ? error.code : String(error);
        this.#redirect(error);
        finish(code === 'leadershipLost' || code === 'stopped' ? 'unknown' : 'fail', undefined, code, input);
      },
    );
    if (server.heddle !== undefined) bystand(server, this.#random);
  }

  #read(
    server: SimServer,
    key: string,
    mode: ReadMode,
    finish: (outcome: Outcome, output: unknown, error: string | undefined, input: unknown) => void,
  ): void {
    const world = this.#world;
    const freshness = world.acknowledgedIndex;
    const told = world.toldIndexes.get(key) ?? 0;
    world.time.schedule(giveUpMs, () => finish('fail', undefined, 'timeout', undefined));
    server.raft!.readBarrier(mode).then(
      (index) => {
        const register = server.machine.state.register(key);
        const { value } = register;
        world.readServed(server, mode, index, freshness);
        world.answered(server, key, register.index, told);
        if (value !== null) world.lastSeen.set(key, value);
        finish('ok', value, undefined, undefined);
      },
      (error: unknown) => {
        this.#redirect(error);
        finish('fail', undefined, error instanceof RaftError ? error.code : String(error), undefined);
      },
    );
  }

  #choose(): SimServer | undefined {
    if (this.#server === undefined || this.#random.chance(this.#world.swarm.wander))
      this.#server = this.#random.pick(this.#world.servers);
    return this.#server;
  }

  #redirect(error: unknown): void {
    const leaderId = error instanceof RaftError ? error.fields.leaderId : undefined;
    this.#server = this.#world.servers.find((server) => server.id === leaderId);
  }

  #retryElsewhere(): void {
    this.#server = undefined;
    this.#pause();
  }
}
