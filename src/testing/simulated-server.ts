/** One server of a simulated cluster: real Raft, real log format, real commands and queries; disk, network and clock simulated. */
import { LockDelays, Proposer } from '../agent/server/index.ts';
import type { CommandArgs, CommandName, CommandResult, StoreOptions } from '../fsm/index.ts';
import {
  type Configuration,
  RaftError,
  RaftNode,
  type RaftSettings,
  StoredLog,
  type TransportHandlers,
} from '../raft/index.ts';
import type { Clock } from '../std/clock.ts';
import { second } from '../std/duration.ts';
import { HeddleError } from '../std/errors.ts';
import type { Random } from '../std/random.ts';
import { SimDisk } from './sim/disk.ts';
import { MemoryState } from './sim/memory-state.ts';
import type { SimNetwork } from './sim/network.ts';
import { SimProcess } from './sim/process.ts';
import type { VirtualTime } from './sim/virtual-time.ts';

/** What surrounds a server. */
export interface SimulatedWorld {
  readonly time: VirtualTime;
  readonly network: SimNetwork;
  readonly random: Random;
  readonly settings: Partial<RaftSettings>;
  note(who: string, what: string): void;
  /** It stopped by itself. A disk error is what it has to stop for; anything else is a defect of Heddle's. */
  failed(error: unknown, expected: boolean): void;
  /** Its connections broke. */
  died(id: string): void;
}

/** The wall clock at the beginning of every simulated world: 1 January 2024, 00:00 UTC. */
const epochMs = Date.UTC(2024, 0, 1);
const diskMs = 1;
/** What a turn of the event loop takes. */
const turnMs = 0.01;

export class SimulatedServer {
  readonly id: string;
  readonly disk: SimDisk;
  readonly state: MemoryState;
  readonly #world: SimulatedWorld;
  readonly #random: Random;
  readonly #process: SimProcess;
  #node: RaftNode | undefined;
  #proposer: Proposer | undefined;
  #handlers: TransportHandlers | undefined;
  #running = false;
  #starts = 0;

  constructor(id: string, world: SimulatedWorld) {
    this.id = id;
    this.#world = world;
    this.#random = world.random.stream(`server/${id}`);
    this.#process = new SimProcess(world.time);
    this.disk = new SimDisk(this.#random, diskMs, () => world.time.nowMs, {
      later: (delayMs, callback) => void this.#process.later(delayMs, callback),
      durable: () => {},
    });
    this.state = new MemoryState(id, this.#storeOptions(), (delayMs, work) => void this.#process.later(delayMs, work));
  }

  /** Whether there is a process, paused or not. */
  get isRunning(): boolean {
    return this.#running;
  }

  /** Raft's node; undefined while the server is stopped or starting. */
  get node(): RaftNode | undefined {
    return this.#node;
  }

  start(bootstrap?: Configuration): void {
    if (this.#running) return;
    this.#running = true;
    const alive = this.#process.alive();
    if (this.#starts++ > 0) {
      this.state.reopen(this.#storeOptions(), (delayMs, work) => void this.#process.later(delayMs, work));
    }
    this.#world.note(this.id, 'start');
    this.#open(alive, bootstrap).then(
      (node) => {
        if (alive()) this.#opened(node);
        else void node.stop();
      },
      (error: unknown) => {
        if (alive()) this.#failed(error);
      },
    );
  }

  /** Proposes a command here. Rejects with the command's Refusal or a RaftError. */
  propose<N extends CommandName>(name: N, args: CommandArgs<N>): Promise<CommandResult<N>> {
    if (this.#proposer === undefined) return Promise.reject(new RaftError('stopped'));
    return this.#proposer.propose(name, args, { datacenter: '', token: '', address: '', call: 'simulation' });
  }

  /** Something arrived from the network. */
  arrive(handle: (handlers: TransportHandlers) => void): void {
    this.#process.run(() => {
      if (this.#handlers !== undefined) handle(this.#handlers);
    });
  }

  crash(powerLoss: boolean): void {
    if (!this.#running) return;
    this.#world.note(this.id, powerLoss ? 'power loss' : 'crash');
    this.#end();
    this.disk.crash();
    if (powerLoss) this.state.losePower();
  }

  pause(): void {
    this.#world.note(this.id, 'pause');
    this.#process.pause();
  }

  resume(): void {
    this.#world.note(this.id, 'resume');
    this.#process.resume();
  }

  #end(): void {
    const node = this.#node;
    this.#process.end();
    this.#node = undefined;
    this.#proposer = undefined;
    this.#handlers = undefined;
    this.#running = false;
    // Whoever waits for it is told; its disk and its timers are those of a life that is over.
    void node?.stop();
    this.#world.died(this.id);
  }

  #opened(node: RaftNode): void {
    const lockDelays = new LockDelays();
    const clock = this.#clock();
    this.#node = node;
    node.onFailure((error) => this.#failed(error));
    this.state.store.listen({ applied: (command) => lockDelays.applied(command, clock.wallMs()) });
    this.#proposer = new Proposer({
      datacenter: 'dc1',
      nodeName: this.id,
      raft: node,
      clock,
      view: () => this.state.store.view,
      lockDelayUntilMs: (key, nowMs) => lockDelays.until(key, nowMs),
      sessionTtlMinNs: 10 * second,
      uuid: uuids(this.#random.stream(`uuids/${this.#starts}`)),
    });
  }

  #open(alive: () => boolean, bootstrap: Configuration | undefined): Promise<RaftNode> {
    const { settings, network, note } = this.#world;
    const log = (message: string, fields: Record<string, unknown>) =>
      note(this.id, `${message} ${JSON.stringify(fields)}`);
    const options = {
      id: this.id,
      clusterId: 'simulated',
      settings,
      ...(bootstrap === undefined ? {} : { bootstrap }),
    };
    return RaftNode.open(options, {
      log: new StoredLog(this.disk.open()),
      transport: network.transport(alive, (handlers) => {
        this.#handlers = handlers;
      }),
      clock: this.#clock(),
      random: this.#random.stream(`start/${this.#starts}`),
      stateMachine: this.state,
      later: (callback) => void this.#process.later(turnMs, callback),
      logger: { info: log, warn: log },
    });
  }

  #failed(error: unknown): void {
    const code = error instanceof HeddleError ? error.code : 'assertion';
    this.#world.note(this.id, `stopped: ${code}`);
    this.#end();
    this.disk.crash();
    this.#world.failed(error, code === 'storageFailed');
  }

  #clock(): Clock {
    const { time } = this.#world;
    return {
      monotonicMs: () => time.nowMs,
      wallMs: () => epochMs + time.nowMs,
      after: (delayMs, callback) => this.#process.later(delayMs, callback),
    };
  }

  #storeOptions(): StoreOptions {
    return { clock: this.#clock(), defer: (work) => void this.#process.later(turnMs, work) };
  }
}

/** Version 4 UUIDs from a stream of chance. */
function uuids(random: Random): () => string {
  const hex = (digits: number): string => Array.from({ length: digits }, () => random.int(0, 15).toString(16)).join('');
  return () => `${hex(8)}-${hex(4)}-4${hex(3)}-${random.pick(['8', '9', 'a', 'b'])}${hex(3)}-${hex(12)}`;
}
