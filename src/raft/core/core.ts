/**
 * The Raft core: a state machine without I/O, clock or chance. Inputs come one at a time, each with the time at which it came;
 * `drain` returns what is to be done about them. See DESIGN.md for the picture.
 *
 * One batch of inputs, one drain: replication, commit notices and read rounds are flushed there, so a batch costs one message
 * a follower and one write to the log.
 */
import { err, ok, type Result } from '../../std/result.ts';
import type { Effects } from './effects.ts';
import { forgetLeader, hasLostLog, ownVoteDurable, peerBroken, startElection, voterMustWait } from './election.ts';
import { beginInstall, installed } from './following.ts';
import { type ChangeWish, isVoter, planChange } from './membership.ts';
import type { CheckpointOffer, Message, MessageKind } from './messages.ts';
import { quorumValue } from './quorum.ts';
import { leaseIsValid, read } from './reading.ts';
import { advanceCommit, flushLeader, takeLoaded, wantedFrom } from './replication.ts';
import { restTicks } from './rest.ts';
import { candidate, preCandidate } from './roles/candidate.ts';
import { follower } from './roles/follower.ts';
import { leader } from './roles/leader.ts';
import type { RoleTable } from './roles/table.ts';
import { type CoreOptions, CoreState } from './state.ts';
import {
  type CheckpointMeta,
  type Configuration,
  type Entry,
  entryBytes,
  type LogIndex,
  type Role,
  type ServerId,
} from './types.ts';
import { invalidCheckpoint, invalidMessage } from './validate.ts';

const roles: { readonly [R in Role]: RoleTable } = { follower, preCandidate, candidate, leader };

export type ProposeRefusal = 'notLeader' | 'overloaded' | 'transferring';
export type ChangeRefusal = 'notLeader' | 'transferring' | 'changeInProgress' | 'invalidChange' | 'notCaughtUp';

export class RaftCore {
  /** For status, invariants and tests; only the functions of this folder change it. */
  readonly state: CoreState;

  constructor(options: CoreOptions) {
    this.state = new CoreState(options);
  }

  /** Call once. A lone voter need not wait for anybody: it campaigns at once. */
  start(nowMs: number): void {
    const { state } = this;
    state.nowMs = nowMs;
    const { voters, votersOutgoing } = state.membership.latest;
    const alone = voters.length === 1 && voters[0] === state.id && votersOutgoing.length === 0;
    if (alone && !hasLostLog(state)) startElection(state, false);
  }

  /**
   * Once every `tickMs`; never more often, also not to catch up. Or once for several: as many as `rest` says, or fewer. `waitedMs`: how
   * long the timer for them was set.
   */
  tick(nowMs: number, count = 1, waitedMs = count * this.state.settings.tickMs): void {
    const { state } = this;
    state.nowMs = nowMs;
    state.tickCount += count;
    state.electionTicks += count;
    state.lateness.ticked(nowMs, waitedMs, count);
    roles[state.role].tick(state);
  }

  /** For how many ticks from the last one on nothing is to be done but to count them: at least 1. */
  rest(): number {
    return restTicks(this.state);
  }

  step(message: Message, nowMs: number): void {
    const { state } = this;
    state.nowMs = nowMs;
    const reason = invalidMessage(message);
    if (reason !== undefined) {
      state.events.push({ kind: 'badMessage', from: message.from, reason });
      return;
    }
    if (message.to !== state.id) return;
    if (message.term > state.term && !this.#adoptTerm(message)) return;
    if (state.rules.isStale(message.term, state.term)) {
      this.#answerStale(message);
      return;
    }
    dispatch(roles[state.role], state, message);
  }

  /** Appends commands as leader: all or none. Returns the position of the first. */
  propose(payloads: readonly Uint8Array[], nowMs: number): Result<{ index: number; term: number }, ProposeRefusal> {
    const { state } = this;
    state.nowMs = nowMs;
    const { leadership } = state;
    if (leadership === undefined) return err('notLeader');
    if (leadership.transfer !== undefined) return err('transferring');
    const first = state.log.lastIndex + 1;
    let index = first;
    for (const data of payloads) {
      if (leadership.backlog.bytes > state.settings.uncommittedBytesMax && index === first) return err('overloaded');
      const entry: Entry = { kind: 'command', index, term: state.term, data };
      state.appendOwn(entry);
      leadership.backlog.add(index, entryBytes(entry));
      index++;
    }
    return ok({ index: first, term: state.term });
  }

  /** Asks a majority for a read point, under a number of the caller's; comes back in `readsReady` or `readsFailed`. */
  read(id: number, nowMs: number): Result<void, 'notLeader'> {
    this.state.nowMs = nowMs;
    const { leadership } = this.state;
    if (leadership === undefined) return err('notLeader');
    read(this.state, leadership, id);
    return ok(undefined);
  }

  /** The read point that a leader may take without asking, while its lease holds. */
  leaseRead(nowMs: number): LogIndex | undefined {
    const { leadership, commitIndex, tickCount } = this.state;
    if (leadership !== undefined) leadership.usedTick = tickCount;
    return this.leaseIsValid(nowMs) ? commitIndex : undefined;
  }

  changeMembership(
    wish: ChangeWish,
    nowMs: number,
  ): Result<{ index: number; term: number }, ChangeRefusal | { detail: string }> {
    const { state } = this;
    state.nowMs = nowMs;
    const { leadership, membership, rules, commitIndex } = state;
    if (leadership === undefined) return err('notLeader');
    if (leadership.transfer !== undefined) return err('transferring');
    const configuration = membership.latest;
    const configurationIndex = membership.latestIndex;
    const ownTermCommitted = rules.mayReadAt(state.log.termAt(commitIndex), state.term);
    if (!rules.mayChangeConfiguration({ configuration, configurationIndex, commitIndex, ownTermCommitted })) {
      return err('changeInProgress');
    }
    for (const id of wish.promote ?? []) {
      const { matchIndex = 0, contactTick = 0 } = leadership.peers.get(id) ?? {};
      const { promotionLagEntriesMax, electionTimeoutTicks } = state.settings;
      const isBehind = matchIndex === 0 || matchIndex + promotionLagEntriesMax < commitIndex;
      // One that is silent may be dead: to count on it could cost the majority at once.
      if (isBehind || state.tickCount - contactTick >= electionTimeoutTicks) return err('notCaughtUp');
    }
    const plan = planChange(configuration, wish, (id) => leadership.peers.get(id)?.logId ?? 0);
    if (!plan.ok) return err({ detail: plan.error });
    if (!this.#majorityAnswers(plan.value)) return err({ detail: 'no majority of the new voters answers at present' });
    const index = state.log.lastIndex + 1;
    const next: Configuration = { ...plan.value, votersOutgoing: rules.joint(plan.value.votersOutgoing) };
    state.appendOwn({ kind: 'configuration', index, term: state.term, configuration: next });
    return ok({ index, term: state.term });
  }

  /** Hands leadership over; ends in a `transferEnded` event. */
  transfer(to: ServerId | undefined, nowMs: number): Result<ServerId, 'notLeader' | 'transferring' | 'invalidChange'> {
    const { state } = this;
    state.nowMs = nowMs;
    const { leadership } = state;
    if (leadership === undefined) return err('notLeader');
    if (leadership.transfer !== undefined) return err('transferring');
    const configuration = state.membership.latest;
    const candidates = [...leadership.peers].filter(([id]) => configuration.voters.includes(id));
    const furthest = candidates.sort(([a, p], [b, q]) => q.matchIndex - p.matchIndex || (a < b ? -1 : 1))[0]?.[0];
    const target = to ?? furthest;
    if (target === undefined || target === state.id || !isVoter(configuration, target)) return err('invalidChange');
    leadership.transfer = { to: target, startedTick: state.tickCount, ordered: false };
    return ok(target);
  }

  /** Persists up to `number` are on disk. */
  persisted(number: number, nowMs: number): void {
    const { state } = this;
    state.nowMs = nowMs;
    state.persistence.done(number);
    ownVoteDurable(state);
    if (state.leadership !== undefined) advanceCommit(state, state.leadership);
  }

  /** The state machine has everything up to `index`. */
  applied(index: number): void {
    const { state } = this;
    state.appliedIndex = Math.max(state.appliedIndex, index);
    state.log.evict(Math.min(state.appliedIndex, state.persistence.durableIndex), wantedFrom(state));
  }

  /** The answer to a load request. */
  loaded(to: ServerId, term: number, from: number, entries: readonly Entry[]): void {
    takeLoaded(this.state, to, term, from, entries);
  }

  /** The log on disk no longer holds entries up to `index`. */
  compacted(index: number): void {
    this.state.log.compact(index);
    this.state.membership.compact(index);
  }

  /** A server offers a checkpoint: does this one want its bytes? */
  offered(offer: CheckpointOffer, nowMs: number): boolean {
    const { state } = this;
    state.nowMs = nowMs;
    if (invalidCheckpoint(offer.checkpoint) !== undefined || offer.to !== state.id) return false;
    if (offer.term < state.term || (offer.term === state.term && state.leadership !== undefined)) return false;
    if (offer.term > state.term) state.becomeFollower(offer.term, offer.from);
    state.heardFromLeader(offer.from);
    return state.installing === undefined && state.rules.mayInstall(offer.checkpoint.index, state.commitIndex);
  }

  /** A checkpoint is here whole. True: the driver must now replace state and log by it, and report `installed`. */
  received(checkpoint: CheckpointMeta, nowMs: number): boolean {
    this.state.nowMs = nowMs;
    return beginInstall(this.state, checkpoint);
  }

  installed(checkpoint: CheckpointMeta, nowMs: number): void {
    this.state.nowMs = nowMs;
    installed(this.state, checkpoint);
  }

  /** The transfer of a checkpoint to a follower ended. `index`: what it has now, if it succeeded. */
  checkpointSent(to: ServerId, index: number | undefined): void {
    const progress = this.state.leadership?.peers.get(to);
    if (progress?.state === 'checkpoint') progress.becomeProbe((index ?? progress.matchIndex) + 1);
  }

  peerBroken(peer: ServerId, nowMs: number): void {
    this.state.nowMs = nowMs;
    peerBroken(this.state, peer);
  }

  /** Time passed that the clock did not count: no lease from before counts any more. */
  clockStood(nowMs: number): void {
    this.state.nowMs = nowMs;
    this.state.clockStoodMs = nowMs;
  }

  /** May a `lease` read be answered at this moment? */
  leaseIsValid(nowMs: number): boolean {
    this.state.nowMs = nowMs;
    return this.state.leadership !== undefined && leaseIsValid(this.state, this.state.leadership);
  }

  /** What is to be done about the inputs since the last drain. */
  drain(): Effects {
    const { state } = this;
    if (state.leadership !== undefined) flushLeader(state, state.leadership);
    const { persistence, loads, readsReady, readsFailed, checkpointsFor, events } = state;
    state.loads = [];
    state.readsReady = [];
    state.readsFailed = [];
    state.checkpointsFor = [];
    state.events = [];
    const limit = state.rules.applyLimit(state.commitIndex, persistence.durableIndex);
    return {
      persist: persistence.takePersist(state.log.lastIndex),
      send: persistence.takeSendable(),
      loads,
      applyUpTo: state.installing === undefined ? Math.max(limit, state.appliedIndex) : state.appliedIndex,
      readsReady,
      readsFailed,
      checkpointsFor,
      events,
    };
  }

  /** Would this leader still have its quorum, were these the voters? A change must not be what takes it (fault catalogue M04). */
  #majorityAnswers({ voters }: Configuration): boolean {
    const { state } = this;
    const { rules, settings, tickCount, leadership } = state;
    const newest = quorumValue([voters], (id) =>
      id === state.id ? tickCount : (leadership?.peers.get(id)?.contactTick ?? Number.NEGATIVE_INFINITY),
    );
    return !rules.quorumIsLost(tickCount - newest, settings.electionTimeoutTicks);
  }

  /** A later term. False: the message ends here. */
  #adoptTerm(message: Message): boolean {
    const { state } = this;
    switch (message.kind) {
      // A question about a term that does not exist yet: answered by every role, and it changes nothing.
      case 'preVoteRequest':
        dispatch(roles[state.role], state, message);
        return false;
      case 'preVoteResponse':
        if (!message.granted) state.becomeFollower(message.term, '');
        else if (state.role === 'preCandidate') dispatch(preCandidate, state, message);
        return false;
      case 'voteRequest':
        // A leader may hold a lease on this server's silence: then the vote, and even its term, do not reach us.
        if (!message.transfer && voterMustWait(state)) return false;
        forgetLeader(state, message.term);
        return true;
      case 'append':
      case 'heartbeat':
        state.becomeFollower(message.term, message.from);
        return true;
      default:
        state.becomeFollower(message.term, '');
        return true;
    }
  }

  /** An earlier term: its sender must learn that time has gone on; nothing else is done. */
  #answerStale(message: Message): void {
    const { state } = this;
    const envelope = { from: state.id, to: message.from, term: state.term, ...state.signature } as const;
    switch (message.kind) {
      case 'append':
      case 'heartbeat':
        state.send({ kind: 'heartbeatResponse', ...envelope, readRound: 0, sentMs: Number.NEGATIVE_INFINITY });
        break;
      case 'preVoteRequest':
        state.send({ kind: 'preVoteResponse', ...envelope, granted: false });
        break;
      case 'voteRequest':
        state.send({ kind: 'voteResponse', ...envelope, granted: false });
        break;
      default:
    }
  }
}

function dispatch<Kind extends MessageKind>(
  table: RoleTable,
  state: CoreState,
  message: Extract<Message, { readonly kind: Kind }>,
): void {
  const handler = table[message.kind as Kind] as (state: CoreState, message: Message) => void;
  handler(state, message);
}
