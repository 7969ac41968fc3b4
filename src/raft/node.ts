/**
 * The driver: one server of a consensus group. It owns what the pure core must not have: timers, promises, disk, network.
 *
 * Each input (a tick, messages, proposals, a finished write) goes to the core, and `#pump` carries out the effects: send what
 * may leave, start the next write, apply what is committed, answer who waits. Completions are inputs again.
 * Any error that the core or the state machine throws stops the server for good, and `onFailure` tells why.
 */
import type { Clock } from '../std/clock.ts';
import { HeddleError } from '../std/errors.ts';
import type { Random } from '../std/random.ts';
import { Applier } from './applier.ts';
import { Checkpoints } from './checkpoints.ts';
import { type RaftSettings, resolveSettings } from './config.ts';
import { RaftCore } from './core/core.ts';
import type { CoreEvent, Effects } from './core/effects.ts';
import type { Message } from './core/messages.ts';
import { type Rules, rules } from './core/rules.ts';
import type { CheckpointMeta, Configuration, LogIndex, ServerId, Term } from './core/types.ts';
import { RaftError } from './errors.ts';
import type { RaftLog } from './log/log.ts';
import { LogWriter } from './log-writer.ts';
import { drawLogId, type Identity, openLog } from './open.ts';
import { AppliedWaiters, type Deferred, PendingProposals, type Proposed } from './pending.ts';
import { ProposalQueue, type QueuedProposal } from './proposal-queue.ts';
import type { MembershipChange, Raft, RaftStatus, ReadMode } from './raft.ts';
import { ReadRounds } from './read-rounds.ts';
import type { StateMachine } from './state-machine.ts';
import { statusOf } from './status.ts';
import { Suspension } from './suspension.ts';
import { Ticks } from './ticks.ts';
import type { Transport } from './transport/transport.ts';

export interface RaftOptions extends Identity {
  readonly settings?: Partial<RaftSettings>;
}

export interface RaftLogger {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
}

export interface RaftEdges {
  readonly log: RaftLog;
  readonly transport: Transport;
  readonly clock: Clock;
  /** For election timeouts. */
  readonly random: Random;
  readonly stateMachine: StateMachine;
  readonly logger?: RaftLogger;
  /** Runs a callback in a later turn of the event loop, after the I/O that is ready; `setImmediate` if absent. */
  readonly later?: (callback: () => void) => void;
  /** Other rules than Raft's, to prove that tests notice. */
  readonly rules?: Rules;
}

export class RaftNode implements Raft {
  readonly id: ServerId;
  readonly #core: RaftCore;
  readonly #settings: RaftSettings;
  readonly #edges: RaftEdges;
  readonly #writer: LogWriter;
  readonly #applier: Applier;
  readonly #checkpoints: Checkpoints;
  readonly #later: (callback: () => void) => void;
  readonly #suspension: Suspension;

  readonly #proposalQueue: ProposalQueue;
  readonly #proposals = new PendingProposals();
  readonly #appliedWaiters = new AppliedWaiters();
  readonly #reads: ReadRounds;
  #change: Deferred<Configuration> | undefined;
  #transfer: Deferred<void> | undefined;

  #pumping = false;
  #again = false;
  #stopped = false;
  #failure: Error | undefined;
  #announcedTerm: Term | undefined;
  readonly #ticks: Ticks;
  readonly #leadershipCallbacks = new Set<(isLeader: boolean, term: Term) => void>();
  readonly #leaderCallbacks = new Set<(leaderId: ServerId | undefined) => void>();
  readonly #configurationCallbacks = new Set<(configuration: Configuration, index: LogIndex) => void>();
  readonly #failureCallbacks = new Set<(reason: Error) => void>();

  /** Verifies log and state, then takes part. Throws RaftError (`badOptions`, `logCorrupt`, `logBehindState`, …). */
  static async open(options: RaftOptions, edges: RaftEdges): Promise<RaftNode> {
    const settings = resolveSettings(options.settings);
    await openLog(options, edges.log, edges.stateMachine, () => drawLogId(edges.random));
    const node = new RaftNode(options, settings, edges);
    await node.#start();
    return node;
  }

  private constructor(options: RaftOptions, settings: RaftSettings, edges: RaftEdges) {
    this.id = options.id;
    this.#settings = settings;
    this.#edges = edges;
    const { log, stateMachine, clock, random } = edges;
    this.#core = new RaftCore({
      id: options.id,
      settings,
      rules: edges.rules ?? rules,
      random: random.stream('election'),
      recovered: log.recovered,
      appliedIndex: Math.max(stateMachine.appliedIndex, log.recovered.prefix.index),
      nowMs: clock.monotonicMs(),
    });
    this.#suspension = new Suspension(clock);
    const later = edges.later ?? ((callback) => void setImmediate(callback));
    this.#later = (callback) =>
      later(() => {
        if (!this.#stopped) this.#input(callback);
      });
    const core = this.#core;
    this.#ticks = new Ticks({
      ...{ clock, tickMs: settings.tickMs },
      rest: () => core.rest(),
      tick: (count, waitedMs) => core.tick(this.#look(), count, waitedMs),
      input: (callback) => this.#input(callback),
    });
    this.#proposalQueue = new ProposalQueue({
      later: this.#later,
      next: (callback) => queueMicrotask(() => this.#input(callback)),
      isIdle: () => this.#proposals.size === 0,
      flush: (queue) => this.#propose(queue),
    });
    this.#reads = new ReadRounds({
      ...{ clock, input: (callback) => this.#input(callback) },
      ask: (id) => core.read(id, clock.monotonicMs()).ok,
      refusal: () => this.#notLeader(),
    });
    this.#writer = new LogWriter(log, {
      // All that a follower has to say waits for its disk. A leader sends, and answers reads, meanwhile.
      mayHold: () => core.state.leadership === undefined,
      persisted: (number) => this.#input(() => core.persisted(number, clock.monotonicMs())),
      failed: (reason) => this.#fail(reason),
      later: this.#later,
    });
    this.#applier = new Applier({
      ...{ core, settings, log, stateMachine, clock, later: this.#later },
      events: {
        result: (index, term, result) => this.#proposals.applied(index, term, result),
        configuration: (configuration, index) => this.#configurationApplied(configuration, index),
        applied: (index) => this.#applied(index),
      },
    });
    this.#checkpoints = new Checkpoints({
      ...{ core, settings, log, writer: this.#writer, transport: edges.transport, clock, stateMachine },
      pump: (input) => this.#input(input),
      stopped: () => this.#stopped,
      info: (message, fields) => edges.logger?.info(message, fields),
      warn: (message, fields) => edges.logger?.warn(message, fields),
    });
  }

  /** The core, for invariants and tests: look, do not touch. */
  get core(): RaftCore {
    return this.#core;
  }

  async #start(): Promise<void> {
    const { transport, clock } = this.#edges;
    this.#setPeers();
    await transport.start({
      messages: (batch) => this.#messages(batch),
      peerBroken: (peer) => this.#input(() => this.#core.peerBroken(peer, clock.monotonicMs())),
      checkpointOffered: async (offer) => (this.#stopped ? undefined : this.#checkpoints.offered(offer)),
    });
    this.#input(() => this.#core.start(clock.monotonicMs()));
    if (!this.#stopped) this.#ticks.start();
  }

  #messages(batch: readonly Message[]): void {
    this.#input(() => {
      const now = this.#edges.clock.monotonicMs();
      for (const message of batch) this.#core.step(message, now);
    });
  }

  /** Gives the core an input and carries out what follows. */
  #input(input: () => void): void {
    if (this.#stopped) return;
    try {
      this.#ticks.countPassed();
      input();
      this.#pump();
      this.#ticks.replan();
    } catch (reason) {
      this.#fail(reason);
    }
  }

  #pump(): void {
    this.#again = true;
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        this.#carryOut(this.#core.drain());
      }
    } finally {
      this.#pumping = false;
    }
  }

  #carryOut(effects: Effects): void {
    const { transport, log } = this.#edges;
    for (const message of effects.send) transport.send(message);
    if (effects.persist !== undefined) {
      // One proposal at a time: the followers' disks are the longer way, and what they are sent leaves before this one's is asked.
      const leads = this.#core.state.leadership !== undefined;
      this.#writer.write(effects.persist, leads && effects.send.length > 0 && this.#proposalQueue.isTrickle);
    }
    for (const load of effects.loads) {
      const entries = log.read(load.from, load.upTo, load.entriesMax, load.bytesMax);
      this.#core.loaded(load.to, load.term, load.from, entries);
      this.#again = true;
    }
    for (const to of effects.checkpointsFor) this.#checkpoints.send(to);
    for (const event of effects.events) this.#event(event);
    for (const id of effects.readsFailed) this.#reads.take(id)?.reject(this.#notLeader());
    for (const { id, index } of effects.readsReady) {
      const deferred = this.#reads.take(id);
      if (deferred !== undefined) this.#appliedWaiters.wait(index, this.#core.state.appliedIndex, deferred);
    }
    // A leader's own callers wait for its state machine; a follower's leader waits for what it has to write and to answer.
    const awaited = effects.send.length > 0 || effects.persist !== undefined;
    this.#applier.applyUpTo(effects.applyUpTo, awaited && this.#core.state.leadership === undefined);
  }

  #event(event: CoreEvent): void {
    const { logger } = this.#edges;
    switch (event.kind) {
      case 'role':
        logger?.info('role', { role: event.role, term: event.term });
        if (event.role !== 'leader') this.#leadershipEnded(event.term);
        break;
      case 'leader':
        for (const callback of this.#leaderCallbacks) callback(event.leaderId);
        break;
      case 'members':
        this.#setPeers();
        break;
      case 'transferEnded':
        if (event.succeeded) this.#transfer?.resolve();
        else this.#transfer?.reject(new RaftError('transferFailed', { to: event.to }));
        this.#transfer = undefined;
        break;
      case 'logLost':
        logger?.warn('a voter has lost its log, and does not count until it has been taken in anew', { id: event.id });
        break;
      case 'badMessage':
        logger?.warn('bad message', { from: event.from, reason: event.reason });
        break;
    }
  }

  #leadershipEnded(term: Term): void {
    this.#proposals.rejectAll(() => new RaftError('leadershipLost', this.#leaderHint()));
    // A leader that removed itself steps down when the change is committed: its entry is about to be applied here.
    const { membership, commitIndex } = this.#core.state;
    const done = membership.latestIndex <= commitIndex && membership.latest.votersOutgoing.length === 0;
    if (!done) {
      this.#change?.reject(new RaftError('leadershipLost', this.#leaderHint()));
      this.#change = undefined;
    }
    if (this.#announcedTerm === undefined) return;
    this.#announcedTerm = undefined;
    for (const callback of this.#leadershipCallbacks) callback(false, term);
  }

  #applied(index: LogIndex): void {
    const { leadership, term } = this.#core.state;
    this.#appliedWaiters.applied(index);
    this.#checkpoints.applied(index);
    if (leadership === undefined || this.#announcedTerm === term || index < leadership.firstIndex) return;
    this.#announcedTerm = term;
    for (const callback of this.#leadershipCallbacks) callback(true, term);
  }

  #configurationApplied(configuration: Configuration, index: LogIndex): void {
    for (const callback of this.#configurationCallbacks) callback(configuration, index);
    if (configuration.votersOutgoing.length > 0) return;
    this.#change?.resolve(configuration);
    this.#change = undefined;
  }

  #setPeers(): void {
    const { [this.id]: _self, ...peers } = this.#core.state.membership.latest.addresses;
    this.#edges.transport.setPeers(peers);
  }

  propose(data: Uint8Array): Promise<Proposed> {
    if (this.#stopped) return Promise.reject(new RaftError('stopped'));
    const { leadership } = this.#core.state;
    if (leadership === undefined) return Promise.reject(this.#notLeader());
    if (data.length > this.#settings.proposalBytesMax) {
      return Promise.reject(
        new RaftError('tooLarge', { bytes: data.length, bytesMax: this.#settings.proposalBytesMax }),
      );
    }
    if (leadership.backlog.bytes + this.#proposalQueue.bytes > this.#settings.uncommittedBytesMax) {
      return Promise.reject(new RaftError('overloaded', { uncommittedBytes: leadership.backlog.bytes }));
    }
    return new Promise((resolve, reject) => {
      this.#proposalQueue.add({ data, deferred: { resolve, reject } });
    });
  }

  #propose(queue: readonly QueuedProposal[]): void {
    const now = this.#edges.clock.monotonicMs();
    const proposed = this.#core.propose(
      queue.map(({ data }) => data),
      now,
    );
    if (proposed.ok) {
      const { index, term } = proposed.value;
      for (let i = 0; i < queue.length; i++) this.#proposals.add(index + i, term, queue[i]!.deferred);
    } else {
      for (const { deferred } of queue) deferred.reject(new RaftError(proposed.error, this.#leaderHint()));
    }
  }

  leaseRead(): LogIndex | undefined {
    if (this.#stopped) return undefined;
    const index = this.#core.leaseRead(this.#look());
    return index !== undefined && index <= this.#core.state.appliedIndex ? index : undefined;
  }

  /** The time, for what hangs on it having passed: a suspension is noticed first. */
  #look(): number {
    const nowMs = this.#edges.clock.monotonicMs();
    if (this.#suspension.happened(nowMs)) this.#core.clockStood(nowMs);
    return nowMs;
  }

  readBarrier(mode: ReadMode): Promise<LogIndex> {
    if (this.#stopped) return Promise.reject(new RaftError('stopped'));
    const index = mode === 'lease' ? this.leaseRead() : undefined;
    if (index !== undefined) return Promise.resolve(index);
    return this.#reads.join();
  }

  waitApplied(index: LogIndex): Promise<void> {
    if (this.#stopped) return Promise.reject(new RaftError('stopped'));
    return new Promise((resolve, reject) => {
      this.#appliedWaiters.wait(index, this.#core.state.appliedIndex, { resolve: () => resolve(), reject });
    });
  }

  status(): RaftStatus {
    const pending = { proposals: this.#proposals.size + this.#proposalQueue.size, reads: this.#reads.size };
    return statusOf(this.#core, this.#edges.clock.monotonicMs(), this.#checkpoints.latestIndex, pending, this.#failure);
  }

  lastContactMs(): number {
    const { leadership, contactMs, isFilling } = this.#core.state;
    if (leadership !== undefined) return 0;
    return isFilling ? Number.POSITIVE_INFINITY : this.#edges.clock.monotonicMs() - contactMs;
  }

  onLeadership(callback: (isLeader: boolean, term: Term) => void): () => void {
    this.#leadershipCallbacks.add(callback);
    return () => this.#leadershipCallbacks.delete(callback);
  }

  onLeaderChange(callback: (leaderId: ServerId | undefined) => void): () => void {
    this.#leaderCallbacks.add(callback);
    return () => this.#leaderCallbacks.delete(callback);
  }

  onConfiguration(callback: (configuration: Configuration, index: LogIndex) => void): () => void {
    this.#configurationCallbacks.add(callback);
    return () => this.#configurationCallbacks.delete(callback);
  }

  onFailure(callback: (reason: Error) => void): () => void {
    this.#failureCallbacks.add(callback);
    return () => this.#failureCallbacks.delete(callback);
  }

  changeMembership(change: MembershipChange): Promise<Configuration> {
    if (this.#stopped) return Promise.reject(new RaftError('stopped'));
    if (this.#change !== undefined) return Promise.reject(new RaftError('changeInProgress'));
    return new Promise((resolve, reject) => {
      this.#input(() => {
        const planned = this.#core.changeMembership(change, this.#edges.clock.monotonicMs());
        if (planned.ok) this.#change = { resolve, reject };
        else if (typeof planned.error === 'object') reject(new RaftError('invalidChange', planned.error));
        else reject(new RaftError(planned.error, this.#leaderHint()));
      });
    });
  }

  transferLeadership(to?: ServerId): Promise<void> {
    if (this.#stopped) return Promise.reject(new RaftError('stopped'));
    return new Promise((resolve, reject) => {
      this.#input(() => {
        const begun = this.#core.transfer(to, this.#edges.clock.monotonicMs());
        if (begun.ok) this.#transfer = { resolve, reject };
        else reject(new RaftError(begun.error, { ...this.#leaderHint(), detail: `transfer to ${to ?? 'any voter'}` }));
      });
    });
  }

  checkpoint(): Promise<CheckpointMeta> {
    return this.#stopped ? Promise.reject(new RaftError('stopped')) : this.#checkpoints.make();
  }

  async stop(): Promise<void> {
    if (!this.#stopped) this.#shut(undefined);
    await this.#edges.transport.stop();
    await this.#writer.stop();
    await this.#edges.log.close();
  }

  /** The first failure is final: no vote, no append, no client is answered after it. */
  #fail(reason: unknown): void {
    if (this.#stopped) return;
    const error = reason instanceof Error ? reason : new RaftError('storageFailed', { detail: String(reason) });
    this.#failure = error;
    this.#edges.logger?.warn('stopped by a failure', {
      code: error instanceof HeddleError ? error.code : 'assertion',
      error: error.message,
    });
    this.#shut(error);
    this.#edges.transport.stop().catch((cause: unknown) => {
      this.#edges.logger?.warn('the transport did not stop', { error: String(cause) });
    });
    for (const callback of this.#failureCallbacks) callback(error);
  }

  #shut(cause: Error | undefined): void {
    this.#stopped = true;
    this.#ticks.stop();
    const stopped = (): Error => new RaftError('stopped', {}, cause === undefined ? undefined : { cause });
    for (const { deferred } of this.#proposalQueue.takeAll()) deferred.reject(stopped());
    this.#proposals.rejectAll(stopped);
    this.#appliedWaiters.rejectAll(stopped);
    this.#reads.rejectAll(stopped);
    this.#change?.reject(stopped());
    this.#transfer?.reject(stopped());
    if (this.#announcedTerm === undefined) return;
    this.#announcedTerm = undefined;
    for (const callback of this.#leadershipCallbacks) callback(false, this.#core.state.term);
  }

  #leaderHint(): Record<string, unknown> {
    const { leaderId } = this.#core.state;
    return leaderId === '' || leaderId === this.id ? {} : { leaderId };
  }

  #notLeader(): RaftError {
    return new RaftError('notLeader', this.#leaderHint());
  }
}
