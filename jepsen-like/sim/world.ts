/**
 * The simulated world: servers, network, clients and faults under one virtual time, watched by every invariant after every event.
 *
 * Two phases. First faults come as scheduled, and safety must hold. Then they end: every server that can run runs, every link passes,
 * and within a bound there must be a leader, answers for clients, and equal state everywhere.
 */
import type { Message } from '../../src/raft/core/messages.ts';
import type { CommittedEntry, Configuration } from '../../src/raft/index.ts';
import { type Random, seededRandom } from '../../src/std/random.ts';
import { SimNetwork } from '../../src/testing/sim/network.ts';
import { settle, VirtualTime } from '../../src/testing/sim/virtual-time.ts';
import { checkLinearizability } from '../checkers/linearizability.ts';
import type { Operation } from '../history.ts';
import { invariants } from '../invariants/index.ts';
import { hold, Violation, type Watch, type Watched } from '../invariants/invariant.ts';
import type { Mutation } from '../mutations/mutation.ts';
import { SimClient } from './clients.ts';
import { carryOut, drawFaults, type ScheduledFault } from './faults.ts';
import { type Command, newestFormat } from './machine.ts';
import { Director } from './scripts/director.ts';
import { scripts } from './scripts/index.ts';
import { SimServer } from './server.ts';
import { drawSwarm, type Swarm } from './swarm.ts';
import { Trace } from './trace.ts';

export interface WorldOptions {
  readonly seed: string;
  readonly unsafeMs: number;
  readonly mutation?: Mutation | undefined;
  /** Instead of what the seed draws; for shrinking. */
  readonly faults?: readonly ScheduledFault[];
  readonly adjust?: (swarm: Swarm) => Swarm;
  readonly sink?: (line: string) => void;
}

export interface RunResult {
  readonly seed: string;
  readonly swarm: Swarm;
  readonly faults: readonly ScheduledFault[];
  readonly violation: { readonly invariant: string; readonly message: string } | undefined;
  readonly virtualMs: number;
  readonly events: number;
  readonly operations: readonly Operation[];
  readonly marks: ReadonlyMap<string, number>;
  readonly digest: string;
  readonly timeline: readonly string[];
}

/** How long the healed cluster may take to be well again. */
const healMsMax = 20_000;

/** A history that takes more is too hard to judge: told as a failure of its own kind, never passed over. */
const linearizabilityStatesMax = 300_000;

export class World {
  readonly random: Random;
  readonly swarm: Swarm;
  readonly time: VirtualTime;
  readonly network: SimNetwork;
  readonly servers: SimServer[];
  readonly operations: Operation[] = [];
  readonly marks = new Map<string, number>();
  /** Last value a client saw in a register: what a compare-and-set expects. */
  readonly lastSeen = new Map<string, number>();
  acknowledgedIndex = 0;
  healings = 0;
  safePhase = false;
  /** Clients only read for a while. */
  writersRest = false;
  /** … or only write. */
  readersRest = false;
  readonly #faults: readonly ScheduledFault[];
  readonly #trace: Trace;
  readonly #watches: readonly Watch[] = invariants.map((invariant) => invariant.create());
  readonly #watched: Watched[];
  readonly #touched = new Set<SimServer>();
  readonly #clients: SimClient[];
  readonly #bootstrap: Configuration;
  #violation: Violation | undefined;
  readonly #director: Director | undefined;
  #processes = 0;
  #commands = 0;
  readonly #seed: string;

  constructor(options: WorldOptions) {
    this.#seed = options.seed;
    this.random = seededRandom(options.seed);
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
    this.#watched = this.servers.map((server) => watchedView(server));
    for (const [i, server] of this.servers.entries()) {
      server.mirror.onEntry = (index, entry) =>
        this.#watch((watch) => watch.durable?.(this.#watched[i]!, index, entry));
      server.mirror.onHardState = (before, now) =>
        this.#watch((watch) => watch.hardState?.(this.#watched[i]!, before, now));
    }
    const voters = this.servers.slice(0, this.swarm.servers).map(({ id }) => id);
    const addresses = Object.fromEntries(voters.map((id) => [id, id]));
    this.#bootstrap = { voters, votersOutgoing: [], learners: [], addresses };
    const { script } = this.swarm;
    this.#director = script === undefined ? undefined : new Director(scripts[script], this);
    this.#clients = Array.from({ length: this.swarm.clients }, (_, i) => new SimClient(this, i));
  }

  async run(): Promise<RunResult> {
    for (const server of this.servers) this.#start(server);
    for (const client of this.#clients) client.start();
    for (const fault of this.#faults) {
      this.time.schedule(fault.atMs, () => {
        if (this.safePhase) return;
        this.note('--', `fault ${fault.kind} for ${fault.durationMs.toFixed(0)} ms`);
        this.mark(`fault: ${fault.kind}`);
        carryOut(this, fault);
      });
    }
    try {
      await this.#runUntil(this.swarm.unsafeMs);
      await this.#heal();
      this.#checkHistory();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#violation = error;
      this.note('--', error.message);
    }
    // The servers' pending promises and timers go with them.
    for (const server of this.servers) void server.node?.stop();
    await settle();
    return this.#result();
  }

  #result(): RunResult {
    const violation = this.#violation;
    return {
      seed: this.#seed,
      swarm: this.swarm,
      faults: this.#faults,
      violation: violation === undefined ? undefined : { invariant: violation.invariant, message: violation.message },
      virtualMs: this.time.nowMs,
      events: this.#trace.count,
      operations: this.operations,
      marks: this.marks,
      digest: this.#trace.digest(),
      timeline: this.#trace.newest(),
    };
  }

  async #runUntil(untilMs: number, done: () => boolean = () => false): Promise<void> {
    while (!done() && this.time.runNext(untilMs)) {
      await settle();
      if (this.#violation !== undefined) throw this.#violation;
      for (const server of this.#touched) {
        const watched = this.#watched[this.servers.indexOf(server)]!;
        for (const watch of this.#watches) watch.step?.(watched, this.#watched);
      }
      this.#touched.clear();
      if (!this.safePhase) this.#director?.look();
    }
  }

  /** Everything that can be well is made well; then the cluster has to be. */
  async #heal(): Promise<void> {
    this.safePhase = true;
    this.writersRest = false;
    this.readersRest = false;
    this.healings++;
    this.note('--', 'heal');
    this.network.heal();
    const upgraded = this.servers.some(({ machine }) => machine.format === newestFormat);
    for (const server of this.servers) {
      server.resume();
      server.disk.failNext = false;
      server.disk.stalledUntilMs = 0;
      server.disk.latencyMs = Math.min(server.disk.latencyMs, 10);
      server.machine.failNextCheckpoint = false;
      server.disk.fullUntilMs = 0;
      server.machine.fullUntilMs = 0;
      if (upgraded && server.machine.format < newestFormat) this.upgrade(server);
      else this.restart(server);
    }
    const deadline = this.time.nowMs + healMsMax;
    const before = this.operations.length;
    const answered = (): boolean =>
      this.operations
        .slice(before)
        .some(({ outcome, op, startMs }) => outcome === 'ok' && op === 'write' && startMs > deadline - healMsMax);
    await this.#runUntil(deadline, () => answered() && this.#leader() !== undefined);
    hold(this.#leader() !== undefined, 'liveness', () => `no leader ${healMsMax} ms after healing`);
    hold(answered(), 'liveness', () => `no write was acknowledged within ${healMsMax} ms after healing`);
    for (const client of this.#clients) client.stop();
    // One entry a round trip may take longer than that to catch up: then it must at least go on (seed 1795521443953).
    for (let before = -1, now = 0; !this.#converged() && now > before; now = this.#applied()) {
      before = now;
      await this.#runUntil(this.time.nowMs + healMsMax, () => this.#converged());
    }
    hold(
      this.#converged(),
      'liveness',
      () => `not converged ${healMsMax} ms after the last client: ${this.#describe()}`,
    );
  }

  #leader(): SimServer | undefined {
    return this.servers.find(({ node }) => {
      const state = node?.core.state;
      return state?.leadership !== undefined && state.commitIndex >= state.leadership.firstIndex;
    });
  }

  /** Entries applied, over all servers. */
  #applied(): number {
    return this.servers.reduce((sum, { node }) => sum + (node?.core.state.appliedIndex ?? 0), 0);
  }

  /** Members of the leader's configuration that can run have applied the same, and nothing is left in flight. */
  #converged(): boolean {
    const leader = this.#leader();
    if (leader?.node === undefined) return false;
    const { state } = leader.node.core;
    const { latest } = state.membership;
    if (latest.votersOutgoing.length > 0 || state.commitIndex !== state.log.lastIndex) return false;
    if (state.leadership?.backlog.bytes !== 0 || state.leadership.reads.size > 0) return false;
    const members = this.servers.filter(({ id, damage }) => id in latest.addresses && damage === undefined);
    return members.every(
      ({ node, machine }) =>
        node?.core.state.appliedIndex === state.appliedIndex && machine.hash === leader.machine.hash,
    );
  }

  #describe(): string {
    return this.servers
      .map(({ id, condition, node, damage }) => {
        const state = node?.core.state;
        const at =
          state === undefined
            ? ''
            : ` ${state.role} t${state.term} c${state.commitIndex} a${state.appliedIndex} l${state.log.lastIndex}`;
        return `${id} ${damage === undefined ? condition : 'damaged'}${at}`;
      })
      .join(', ');
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

  /** A damaged server is started once, to see that it refuses. */
  startDamaged(server: SimServer): void {
    const { damage } = server;
    server.start(undefined, true);
    if (damage !== undefined && server.condition === 'starting') {
      this.#fail('damage-is-noticed', `${server.id} starts with a ${damage}`);
    }
  }

  /** Without this server, could a majority of some configuration in force be lost for good? */
  majorityNeeds(server: SimServer): boolean {
    return (
      this.servers.some(({ node }) => {
        const configuration = node?.core.state.membership.latest;
        if (configuration === undefined) return false;
        return [configuration.voters, configuration.votersOutgoing].some(
          (group) => group.length > 0 && group.includes(server.id) && group.length < 3,
        );
      }) ||
      this.swarm.servers < 3 ||
      this.swarm.faults.membership !== undefined
    );
  }

  /** One server loses its disk and comes back empty, under the same id, after a while. */
  replaceDisk(server: SimServer, downMs: number): void {
    server.replaceDisk();
    const watched = this.#watched[this.servers.indexOf(server)]!;
    this.#watch((watch) => watch.diskReplaced?.(watched));
    this.mark('disk: replaced');
    this.time.schedule(downMs, () => this.restart(server));
    this.#takeInAnew(server);
  }

  /** What autopilot does: a voter that lost its log becomes a learner, and a voter again when it has caught up. */
  #takeInAnew(server: SimServer): void {
    const { id, mirror } = server;
    const status = this.#leader()?.node?.status();
    const known = status?.configuration.logIds?.[id];
    if (known !== undefined && known === mirror.logId) return this.mark('disk: taken in anew');
    this.time.schedule(100, () => this.#takeInAnew(server));
    if (status === undefined) return;
    const { configuration, peers, commitIndex } = status;
    const { logLost = false, matchIndex = 0 } = peers.find((each) => each.id === id) ?? {};
    const caughtUp = configuration.learners.includes(id) && matchIndex > 0 && matchIndex + 50 >= commitIndex;
    if (!logLost && !caughtUp) return;
    const wish = logLost ? { demote: [id] } : { promote: [id] };
    this.#leader()!
      .node!.changeMembership(wish)
      .catch((error: Error) => this.mark(`membership: ${'code' in error ? String(error.code) : error.message}`));
  }

  changeMembership(random: Random): void {
    const leader = this.#leader();
    const configuration = leader?.node?.core.state.membership.latest;
    if (leader?.node === undefined || configuration === undefined) return;
    const { voters, learners } = configuration;
    const outside = this.servers.map(({ id }) => id).filter((id) => !(id in configuration.addresses));
    const wishes = [
      ...outside.map((id) => ({ addLearners: [{ id, address: id }] })),
      ...learners.map((id) => ({ promote: [id] })),
      ...(voters.length > 1 ? voters.map((id) => ({ remove: [id] })) : []),
      ...(voters.length > 2 ? voters.map((id) => ({ demote: [id] })) : []),
      ...(learners.length > 0 && voters.length > 1 ? [{ promote: [learners[0]!], remove: [random.pick(voters)] }] : []),
    ];
    if (wishes.length === 0) return;
    const wish = random.pick(wishes);
    this.note('--', `wish ${JSON.stringify(wish)}`);
    leader.node.changeMembership(wish).then(
      () => this.mark('membership: changed'),
      (error: Error) => this.mark(`membership: ${'code' in error ? String(error.code) : error.message}`),
    );
  }

  /** A new release is put in the place of the old one, and started. */
  upgrade(server: SimServer): void {
    this.mark('version: upgraded');
    server.crash(false);
    server.machine.format = newestFormat;
    server.machine.refused = undefined;
    this.restart(server);
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
    const watched = this.#watched[this.servers.indexOf(server)]!;
    for (const message of batch) this.#watch((watch) => watch.received?.(message, watched));
  }

  touch(server: SimServer): void {
    this.#touched.add(server);
  }

  note(who: string, what: string): void {
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
    const watched = this.#watched[this.servers.indexOf(server)]!;
    this.#watch((watch) => watch.started?.(watched));
    this.touch(server);
  }

  /** A server stopped by itself: right after a disk error or damage, a finding otherwise. */
  failed(server: SimServer, code: string, error: unknown): void {
    this.mark(`stopped: ${code}`);
    if (String(error).includes('ENOSPC')) this.mark('stopped: disk full');
    if (code === 'storageFailed' || (code === 'logCorrupt' && server.damage !== undefined)) return;
    const { refused } = server.machine;
    if (refused !== undefined && String(error).includes(refused)) return this.mark('version: an old server stopped');
    const stack = error instanceof Error ? error.stack?.split('\n').slice(0, 5).join(' | ') : '';
    this.#fail('no-server-stops', `${server.id} stopped with ${code}: ${String(error)} ${stack ?? ''}`);
  }

  applied(server: SimServer, entry: CommittedEntry, command: Command, hash: number): void {
    const watched = this.#watched[this.servers.indexOf(server)]!;
    this.#watch((watch) => watch.applied?.(watched, entry.index, entry.term, command.id, hash));
  }

  restored(server: SimServer, index: number, hash: number): void {
    this.note(server.id, `restored to ${index}`);
    this.mark('checkpoint: restored');
    const watched = this.#watched[this.servers.indexOf(server)]!;
    this.#watch((watch) => watch.restored?.(watched, index, hash));
  }

  acknowledged(commandId: number, index: number): void {
    this.#watch((watch) => watch.acknowledged?.(commandId, index));
    this.acknowledgedIndex = Math.max(this.acknowledgedIndex, index);
  }

  readServed(server: SimServer, mode: 'lease' | 'readIndex', index: number, acknowledgedBefore: number): void {
    const watched = this.#watched[this.servers.indexOf(server)]!;
    this.#watch((watch) => watch.readServed?.(watched, mode, index, acknowledgedBefore));
  }

  operated(operation: Operation, kind: string): void {
    this.operations.push(operation);
    this.mark(`${kind}: ${operation.outcome}`);
    const { client, op, key, input, output, outcome, error } = operation;
    this.note(
      `c${client}`,
      `${op} ${key} ${JSON.stringify(input ?? null)} -> ${outcome} ${JSON.stringify(output ?? error ?? null)}`,
    );
  }

  #sent(message: Message): void {
    const { from, to, kind, term } = message;
    this.note(from, `${kind} -> ${to} t${term}${details(message)}`);
    if (message.kind === 'appendResponse' && !message.ok) this.mark('append: refused');
    const sender = this.#watched.find(({ id }) => id === from)!;
    this.#watch((watch) => watch.sent?.(message, sender));
  }

  /** A violation found in the middle of a server's own code must not be caught there: it is kept, and ends the run. */
  #watch(call: (watch: Watch) => void): void {
    for (const watch of this.#watches) {
      try {
        call(watch);
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        this.#violation ??= error;
      }
    }
  }

  #fail(invariant: string, message: string): void {
    this.#violation ??= new Violation(invariant, message);
  }
}

function watchedView(server: SimServer): Watched {
  return {
    id: server.id,
    get state() {
      return server.node?.core.state;
    },
    get mirror() {
      return server.mirror;
    },
    lostMirrors: server.lostMirrors,
    get machineIndex() {
      return server.machine.appliedIndex;
    },
  };
}

function details(message: Message): string {
  switch (message.kind) {
    case 'append':
      return ` after ${message.prevIndex}:${message.prevTerm} +${message.entries.length} commit ${message.commitIndex}`;
    case 'appendResponse':
      return message.ok
        ? ` ok ${message.matchIndex}`
        : ` no ${message.rejectedIndex}, try ${message.hintIndex}:${message.hintTerm}`;
    case 'heartbeat':
      return ` commit ${message.commitIndex} round ${message.readRound}`;
    case 'heartbeatResponse':
      return ` round ${message.readRound}`;
    case 'preVoteResponse':
    case 'voteResponse':
      return message.granted ? ' yes' : ' no';
    case 'preVoteRequest':
    case 'voteRequest':
      return ` last ${message.lastIndex}:${message.lastTerm}`;
    default:
      return '';
  }
}
