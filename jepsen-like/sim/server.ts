/**
 * One simulated server: the real driver, core and log over a simulated disk, clock, network and state. It can be crashed, lose its
 * power, be paused, and start again with what its disk kept.
 */

import { rules } from '../../src/raft/core/rules.ts';
import {
  type Configuration,
  type Raft,
  type RaftEdges,
  RaftError,
  RaftNode,
  type RaftSettings,
} from '../../src/raft/index.ts';
import { StoredLog } from '../../src/raft/log/stored-log.ts';
import type { TransportHandlers } from '../../src/raft/transport/transport.ts';
import { AssertionError } from '../../src/std/assert.ts';
import type { Random } from '../../src/std/random.ts';
import { SimDisk } from '../../src/testing/sim/disk.ts';
import type { Mutation } from '../mutations/mutation.ts';
import { SimClock } from './clock.ts';
import { HeddleState } from './heddle-state.ts';
import { SimMachine } from './machine.ts';
import { Mirror } from './mirror.ts';
import { Registers } from './state.ts';
import type { World } from './world.ts';

export type Condition = 'down' | 'starting' | 'up' | 'broken';

export class SimServer {
  readonly id: string;
  readonly world: World;
  readonly disk: SimDisk;
  readonly machine: SimMachine;
  /** Heddle's own state machine, where that is what is replicated. */
  readonly heddle: HeddleState | undefined;
  mirror = new Mirror();
  /** Of disks that were replaced. */
  readonly lostMirrors: Mirror[] = [];
  condition: Condition = 'down';
  node: RaftNode | undefined;
  /** What clients speak to: the node, unless a planted bug stands between. */
  raft: Raft | undefined;
  /** Why it will never start again: its log was damaged, and it noticed. */
  damage: string | undefined;
  readonly clock: SimClock;
  paused = false;
  #generation = 0;
  #deferred: (() => void)[] = [];
  #handlers: TransportHandlers | undefined;
  readonly #random: Random;
  readonly #settings: Partial<RaftSettings>;
  readonly #mutation: Mutation | undefined;

  constructor(id: string, world: World, settings: Partial<RaftSettings>, mutation: Mutation | undefined) {
    const { swarm, time } = world;
    this.id = id;
    this.world = world;
    this.#random = world.random.stream(`server/${id}`);
    this.#settings = settings;
    this.#mutation = mutation;
    this.clock = new SimClock(1 + (this.#random.next() * 2 - 1) * swarm.clockDrift, {
      nowMs: () => time.nowMs,
      later: (delayMs, callback) => this.later(delayMs, callback),
    });
    const slow = swarm.disk.slowServer && id === 's1' ? 10 : 1;
    const later = (delayMs: number, callback: () => void): void => void this.later(delayMs, callback);
    this.disk = new SimDisk(this.#random, swarm.disk.latencyMsMean * slow, () => time.nowMs, {
      later,
      commitEnds: (operations) => world.crashPoints.commit(id, operations),
      dies: () => this.#dies(),
      durable: (operations) => {
        if (operations.some(({ kind, key }) => kind === 'remove' && Number(key) > this.mirror.prefixIndex))
          world.mark('log: conflict removed');
        this.mirror.durable(operations);
      },
    });
    this.heddle =
      world.state === 'registers'
        ? undefined
        : new HeddleState({
            clock: this.clock.open(),
            defer: (work) => void this.later(0.01, work),
            commands: mutation?.commands?.(this),
          });
    this.machine = new SimMachine(id, this.#random, this.heddle ?? new Registers(), {
      later,
      nowMs: () => time.nowMs,
      applied: (entry, command, hash) => world.applied(this, entry, command, hash),
      restored: (index, hash) => world.restored(this, index, hash),
      stateIs: (index, fingerprint) => world.stateIs(this, index, fingerprint),
      answers: (index, answers) => world.judges.tell(this, (watch, view) => watch.answers?.(view, index, answers)),
      persists: (what) => {
        const dies = world.crashPoints.state(id, what);
        if (dies) this.#dies();
        return dies;
      },
      mark: (name) => world.mark(name),
    });
  }

  /** Another server that leads, if one does. */
  get otherLeader(): Raft | undefined {
    return this.world.servers.find((other) => other !== this && other.node?.core.state.leadership !== undefined)?.raft;
  }

  get isUp(): boolean {
    return this.condition === 'up';
  }

  /** Runs later, unless this incarnation is dead by then; after the pause, if it is paused. */
  later(delayMs: number, callback: () => void): () => void {
    const generation = this.#generation;
    const run = (): void => {
      if (generation !== this.#generation) return;
      if (this.paused) this.#deferred.push(run);
      else {
        this.world.judges.touch(this);
        callback();
      }
    };
    return this.world.time.schedule(delayMs, run);
  }

  /** `evenDamaged`: to see whether it notices. */
  start(bootstrap: Configuration | undefined, evenDamaged = false): void {
    if (this.condition !== 'down' || (this.damage !== undefined && !evenDamaged)) return;
    const generation = this.#generation;
    const alive = (): boolean => generation === this.#generation;
    this.condition = 'starting';
    this.world.note(this.id, 'start');
    let edges: RaftEdges;
    this.machine.state.open();
    try {
      edges = this.#edges(alive);
    } catch (error) {
      this.#failed(error);
      return;
    }
    const settings = { ...this.#settings };
    const options = { id: this.id, clusterId: 'sim', settings, ...(bootstrap === undefined ? {} : { bootstrap }) };
    RaftNode.open(options, edges).then(
      (node) => {
        if (!alive()) return void node.stop();
        this.node = node;
        this.raft = this.#mutation?.raft?.(node, this) ?? node;
        this.condition = 'up';
        node.onFailure((reason) => this.#failed(reason));
        this.world.started(this);
      },
      (error: unknown) => {
        if (alive()) this.#failed(error);
      },
    );
  }

  #edges(alive: () => boolean): RaftEdges {
    const { world } = this;
    const edges: RaftEdges = {
      log: new StoredLog(this.#mutation?.store?.(this.disk.open(), this) ?? this.disk.open()),
      transport: world.network.transport(alive, (handlers) => {
        this.#handlers = {
          ...handlers,
          messages: (batch) => {
            handlers.messages(batch);
            world.received(this, batch);
          },
        };
      }),
      clock: this.clock.open(),
      random: this.#random.stream(`start/${this.#generation}`),
      stateMachine: this.machine,
      later: (callback) => {
        this.later(0.01, callback);
      },
      logger: {
        info: (message, fields) => world.note(this.id, told(message, fields)),
        warn: (message, fields) => world.note(this.id, told(message, fields)),
      },
      rules: { ...rules, ...this.#mutation?.rules },
    };
    return this.#mutation?.edges?.(edges, this) ?? edges;
  }

  /** Something arrived from the network. */
  arrive(handle: (handlers: TransportHandlers) => void): void {
    const generation = this.#generation;
    const run = (): void => {
      if (generation !== this.#generation || this.#handlers === undefined || this.condition === 'broken') return;
      if (this.paused) this.#deferred.push(run);
      else {
        this.world.judges.touch(this);
        handle(this.#handlers);
      }
    };
    run();
  }

  /** kill -9, or the plug: `powerLoss` takes the applied state with it. */
  crash(powerLoss: boolean): void {
    if (this.condition === 'down') return;
    this.world.note(this.id, powerLoss ? 'power loss' : 'crash');
    const wasUp = this.condition !== 'broken';
    this.#generation++;
    this.#deferred = [];
    this.#handlers = undefined;
    this.paused = false;
    this.clock.resume();
    void this.node?.stop();
    this.node = undefined;
    this.raft = undefined;
    this.condition = 'down';
    if (this.disk.commitIsUnderWay) this.world.mark('crash: during a commit');
    this.disk.crash();
    if (powerLoss) this.machine.losePower();
    if (wasUp) this.world.connectionsBroke(this);
  }

  /** At the point of persistence that this run is about. */
  #dies(): void {
    this.crash(this.world.crashPoints.powerLoss);
    this.world.time.schedule(this.world.crashPoints.downMs, () => this.world.restart(this));
  }

  /** Its disk is replaced by an empty one, while it is down. */
  replaceDisk(): void {
    this.crash(true);
    this.world.note(this.id, 'disk replaced');
    this.disk.replace();
    this.machine.loseDisk();
    const lost = this.mirror;
    this.lostMirrors.push(lost);
    this.mirror = new Mirror();
    this.mirror.onEntry = lost.onEntry;
    this.mirror.onHardState = lost.onHardState;
  }

  pause(): void {
    this.world.note(this.id, 'paused');
    this.paused = true;
  }

  /** The whole machine stands still, and its monotonic clock with it. */
  suspend(): void {
    if (!this.isUp) return;
    this.world.note(this.id, 'suspended, with its clock');
    this.paused = true;
    this.clock.suspend();
  }

  resume(): void {
    if (!this.paused) return;
    this.world.note(this.id, 'goes on');
    this.paused = false;
    if (this.clock.resume()) this.world.mark('clock: stood');
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const run of deferred) this.world.time.schedule(0, run);
  }

  /** It stopped by itself. A storage error or damage is what it should stop for; anything else is a finding. */
  #failed(error: unknown): void {
    const code = error instanceof RaftError ? error.code : error instanceof AssertionError ? 'assertion' : 'error';
    this.world.note(this.id, `stopped: ${code} ${error instanceof Error ? error.message : String(error)}`);
    this.condition = 'broken';
    this.world.connectionsBroke(this);
    this.world.failed(this, code, error);
  }
}

function told(message: string, fields: Record<string, unknown>): string {
  if (message === 'role') return `is ${fields.role} in term ${fields.term}`;
  const details = Object.entries(fields).map(([name, value]) => `${name} ${String(value)}`);
  return `${message}: ${details.join(', ')}`;
}
