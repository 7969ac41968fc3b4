/**
 * The simulated world: servers, network, clients and faults under one virtual time, judged by every invariant after every event.
 *
 *     faults, as scheduled ──> healing: all that can be well is made well ──> the clients' history is checked
 *     safety must hold         there must be progress, and equal state
 */
import type { Message } from '../../src/raft/core/messages.ts';
import type { CommittedEntry, Configuration } from '../../src/raft/index.ts';
import { type Random, seededRandom } from '../../src/std/random.ts';
import { SimNetwork } from '../../src/testing/sim/network.ts';
import { settle, VirtualTime } from '../../src/testing/sim/virtual-time.ts';
import { checkLinearizability } from '../checkers/linearizability.ts';
import type { Operation } from '../history.ts';
import { Violation } from '../invariants/invariant.ts';
import type { Mutation } from '../mutations/mutation.ts';
import { SimClient } from './clients.ts';
import { type CrashPoint, CrashPoints, type PersistencePoint } from './crash-points.ts';
import { carryOut, drawFaults, type ScheduledFault } from './faults.ts';
import { heal } from './healing.ts';
import { Judges } from './judges.ts';
import type { Command } from './machine.ts';
import { Director } from './scripts/director.ts';
import { scripts } from './scripts/index.ts';
import { SimServer } from './server.ts';
import { describeServer, type ServerLine } from './server-line.ts';
import type { StateKind } from './state.ts';
import { drawSwarm, type Swarm } from './swarm.ts';
import { messageText, Trace } from './trace.ts';

export interface WorldOptions {
  readonly seed: string;
  readonly unsafeMs: number;
  readonly mutation?: Mutation | undefined;
  /** Instead of what the seed draws; for shrinking. */
  readonly faults?: readonly ScheduledFault[];
  readonly adjust?: ((swarm: Swarm) => Swarm) | undefined;
  /** What is replicated; registers if absent, and where no command of the other is planted. */
  readonly state?: StateKind | undefined;
  readonly sink?: (line: string) => void;
  /** The point of persistence at which a server dies. */
  readonly crashAt?: CrashPoint;
}

export interface RunResult {
  readonly seed: string;
  readonly state: StateKind;
  readonly swarm: Swarm;
  readonly faults: readonly ScheduledFault[];
  readonly violation: { readonly invariant: string; readonly message: string } | undefined;
  readonly virtualMs: number;
  readonly events: number;
  readonly operations: readonly Operation[];
  readonly marks: ReadonlyMap<string, number>;
  readonly digest: string;
  /** The newest events. */
  readonly timeline: readonly string[];
  /** What happened to servers, from the beginning. */
  readonly story: readonly string[];
  /** How they stood at the end. */
  readonly end: readonly ServerLine[];
  /** Every point of persistence that the run reached. */
  readonly crashPoints: readonly PersistencePoint[];
}

/** A history that takes more is too hard to judge: told as a failure of its own kind, never passed over. */
const linearizabilityStatesMax = 300_000;

export class World {
  readonly random: Random;
  readonly state: StateKind;
  /** Services, proxies, checks and config entries come and go, too. */
  readonly meshIsBusy: boolean;
  readonly swarm: Swarm;
  readonly time: VirtualTime;
  readonly network: SimNetwork;
  readonly crashPoints: CrashPoints;
  readonly servers: SimServer[];
  readonly clients: SimClient[];
  readonly judges: Judges;
  readonly operations: Operation[] = [];
  readonly marks = new Map<string, number>();
  /** Last value a client saw in a register: what a compare-and-set expects. */
  readonly lastSeen = new Map<string, number>();
  /** The highest index that any client was told with a consistent read of a key. */
  readonly toldIndexes = new Map<string, number>();
  /** Sessions that were made. */
  readonly sessions: string[] = [];
  readonly #serials = new Set<number>();
  acknowledgedIndex = 0;
  healings = 0;
  safePhase = false;
  /** Clients only read for a while. */
  writersRest = false;
  /** … or only write. */
  readersRest = false;
  readonly #faults: readonly ScheduledFault[];
  readonly #trace: Trace;
  readonly #bootstrap: Configuration;
  /** How the servers stood when something broke. */
  #end: readonly ServerLine[] | undefined;
  readonly #director: Director | undefined;
  #processes = 0;
  #commands = 0;
  readonly #seed: string;

  constructor(options: WorldOptions) {
    this.#seed = options.seed;
    this.crashPoints = new CrashPoints(options.crashAt);
    this.state = options.state ?? (options.mutation?.commands === undefined ? 'registers' : 'heddle');
    this.random = seededRandom(options.seed);
    this.meshIsBusy = this.random.stream('busy mesh').chance(0.7);
    const drawn = drawSwarm(this.random, options.unsafeMs);
    this.swarm = options.adjust?.(drawn) ?? drawn;
    this.time = new VirtualTime(this.random);
    this.#trace = new Trace(400, options.sink);
    this.#faults = options.faults ?? drawFaults(this.random, this.swarm);
    this.network = new SimNetwork(this.swarm.network, this.random, this.time, {
      sent: (message) => this.#sent(message),
      arrive: (to, handle) => this.servers.find(({ id }) => id === to)?.arrive(handle),
      mark: (name) => this.mark(name),
    });
    const total = this.swarm.servers + this.swarm.spares;
    this.servers = Array.from(
      { length: total },
      (_, i) => new SimServer(`s${i + 1}`, this, this.swarm.settings, options.mutation),
    );
    this.judges = new Judges(this.servers);
    const voters = this.servers.slice(0, this.swarm.servers).map(({ id }) => id);
    const addresses = Object.fromEntries(voters.map((id) => [id, id]));
    this.#bootstrap = { voters, votersOutgoing: [], learners: [], addresses };
    const { script } = this.swarm;
    this.#director = script === undefined ? undefined : new Director(scripts[script], this);
    this.clients = Array.from({ length: this.swarm.clients }, (_, i) => new SimClient(this, i));
  }

  async run(): Promise<RunResult> {
    for (const server of this.servers) this.#start(server);
    for (const client of this.clients) client.start();
    for (const fault of this.#faults) {
      this.time.schedule(fault.atMs, () => {
        if (this.safePhase) return;
        this.note('--', `fault ${fault.kind} for ${fault.durationMs.toFixed(0)} ms`);
        this.mark(`fault: ${fault.kind}`);
        carryOut(this, fault);
      });
    }
    try {
      await this.runUntil(this.swarm.unsafeMs);
      await heal(this);
      this.#checkHistory();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.judges.violation = error;
      this.#end = this.servers.map(describeServer);
      this.note('--', error.message);
    }
    // The servers' pending promises and timers go with them.
    for (const server of this.servers) void server.node?.stop();
    await settle();
    return this.#result();
  }

  #result(): RunResult {
    const { violation } = this.judges;
    return {
      seed: this.#seed,
      state: this.state,
      swarm: this.swarm,
      faults: this.#faults,
      violation: violation === undefined ? undefined : { invariant: violation.invariant, message: violation.message },
      virtualMs: this.time.nowMs,
      events: this.#trace.count,
      operations: this.operations,
      marks: this.marks,
      digest: this.#trace.digest(),
      timeline: this.#trace.newest(),
      story: this.#trace.story(),
      end: this.#end ?? this.servers.map(describeServer),
      crashPoints: this.crashPoints.reached,
    };
  }

  /** Event after event, judged after each, until that time or until it is done. */
  async runUntil(untilMs: number, done: () => boolean = () => false): Promise<void> {
    while (!done() && this.time.runNext(untilMs)) {
      await settle();
      this.judges.judge();
      if (!this.safePhase) this.#director?.look();
    }
  }

  /** A leader that has applied its predecessors' log. */
  get leader(): SimServer | undefined {
    return this.servers.find(({ node }) => {
      const state = node?.core.state;
      return state?.leadership !== undefined && state.commitIndex >= state.leadership.firstIndex;
    });
  }

  #checkHistory(): void {
    const result = checkLinearizability(this.operations, undefined, { statesMax: linearizabilityStatesMax });
    if (result.valid) return;
    const name = result.summary.includes('violation') ? 'linearizability' : 'linearizability-undecided';
    throw new Violation(name, [result.summary, ...result.violations].join('\n'));
  }

  #start(server: SimServer): void {
    // Who finds a cluster does not begin one: an emptied server waits to be taken in.
    const begins = this.#bootstrap.voters.includes(server.id) && server.lostMirrors.length === 0;
    server.start(begins ? this.#bootstrap : undefined);
  }

  restart(server: SimServer): void {
    if (server.condition === 'broken') server.crash(false);
    this.#start(server);
  }

  connectionsBroke(dead: SimServer): void {
    if (!this.swarm.network.breaksAreSeen) return;
    for (const server of this.servers) {
      if (server === dead) continue;
      this.time.schedule(this.random.stream(`breaks/${this.#trace.count}/${server.id}`).next() * 5, () => {
        if (this.network.passes(dead.id, server.id)) server.arrive((handlers) => handlers.peerBroken(dead.id));
      });
    }
  }

  received(server: SimServer, batch: readonly Message[]): void {
    for (const message of batch) this.judges.tell(server, (watch, view) => watch.received?.(message, view));
  }

  note(who: string, what: string): void {
    this.#trace.add(this.time.nowMs, who, what, true);
  }

  /** One of many. */
  #hum(who: string, what: string): void {
    this.#trace.add(this.time.nowMs, who, what);
  }

  mark(name: string): void {
    this.marks.set(name, (this.marks.get(name) ?? 0) + 1);
  }

  nextProcess(): number {
    return this.#processes++;
  }

  nextCommand(): number {
    return ++this.#commands;
  }

  started(server: SimServer): void {
    if (server.damage !== undefined)
      this.judges.fail('damage-is-noticed', `${server.id} starts with a ${server.damage}`);
    this.judges.tell(server, (watch, view) => watch.started?.(view));
    this.judges.touch(server);
  }

  /** A server stopped by itself: right after a disk error or damage, a finding otherwise. */
  failed(server: SimServer, code: string, error: unknown): void {
    this.mark(`stopped: ${code}`);
    if (String(error).includes('ENOSPC')) this.mark('stopped: disk full');
    const isDamage = code === 'logCorrupt' || code === 'logBehindState';
    if (code === 'storageFailed' || (isDamage && server.damage !== undefined)) return;
    const { refused } = server.machine;
    if (refused !== undefined && String(error).includes(refused)) return this.mark('version: an old server stopped');
    const stack = error instanceof Error ? error.stack?.split('\n').slice(0, 5).join(' | ') : '';
    this.judges.fail('no-server-stops', `${server.id} stopped with ${code}: ${String(error)} ${stack ?? ''}`);
  }

  applied(server: SimServer, entry: CommittedEntry, command: Command, hash: number): void {
    this.judges.tell(server, (watch, view) => watch.applied?.(view, entry.index, entry.term, command.id, hash));
  }

  restored(server: SimServer, index: number, hash: number): void {
    this.note(server.id, `restored to ${index}`);
    this.mark('checkpoint: restored');
    this.judges.tell(server, (watch, view) => watch.restored?.(view, index, hash));
  }

  stateIs(server: SimServer, index: number, fingerprint: string): void {
    this.judges.tell(server, (watch, view) => watch.stateIs?.(view, index, fingerprint));
  }

  /** `before`: what had been told of that key when the read began. */
  answered(server: SimServer, key: string, index: number, before: number): void {
    this.judges.tell(server, (watch, view) => watch.answered?.(view, key, index, before));
    this.toldIndexes.set(key, Math.max(index, this.toldIndexes.get(key) ?? 0));
  }

  /** A certificate has it now. */
  serialGiven(serial: number): void {
    if (this.#serials.has(serial)) this.judges.fail('serials', `serial ${serial} was given twice`);
    this.#serials.add(serial);
  }

  acknowledged(commandId: number, index: number): void {
    this.judges.tellAll((watch) => watch.acknowledged?.(commandId, index));
    this.acknowledgedIndex = Math.max(this.acknowledgedIndex, index);
  }

  readServed(server: SimServer, mode: 'lease' | 'readIndex', index: number, acknowledgedBefore: number): void {
    this.judges.tell(server, (watch, view) => watch.readServed?.(view, mode, index, acknowledgedBefore));
  }

  operated(operation: Operation, kind: string): void {
    this.operations.push(operation);
    this.mark(`${kind}: ${operation.outcome}`);
    const { client, server, key, input, output, outcome, error, startMs } = operation;
    const asked = input === undefined ? '' : ` ${JSON.stringify(input)}`;
    const answer = outcome === 'ok' ? JSON.stringify(output ?? null) : `${outcome}, ${error}`;
    this.#hum(
      `c${client}`,
      `at ${this.servers[server]!.id}: ${kind} ${key}${asked} -> ${answer}, after ${(this.time.nowMs - startMs).toFixed(1)} ms`,
    );
  }

  #sent(message: Message): void {
    this.#hum(message.from, messageText(message));
    if (message.kind === 'appendResponse' && !message.ok) this.mark('append: refused');
    const sender = this.servers.find(({ id }) => id === message.from)!;
    this.judges.tell(sender, (watch, view) => watch.sent?.(message, view));
  }
}
