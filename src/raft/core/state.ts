/**
 * Everything the core remembers, and the transitions between roles (Raft Figure 4):
 *
 *   follower --silence--> preCandidate --majority would vote--> candidate --majority voted--> leader
 *      ^---------------------- a leader, a higher term, or no majority ---------------------------'
 *
 * What each role does with each message is in `roles/`; how leaders replicate, read and change in the files named so.
 */
import { assert } from '../../std/assert.ts';
import type { Random } from '../../std/random.ts';
import type { RaftSettings } from '../config.ts';
import { Backlog } from './backlog.ts';
import type { CoreEvent, LoadRequest } from './effects.ts';
import { Lateness } from './lateness.ts';
import { LogView, type TermBoundary } from './log-view.ts';
import { isVoter, logIdOf, Membership, membersOf } from './membership.ts';
import type { Message } from './messages.ts';
import { Persistence } from './persistence.ts';
import { Progress } from './progress.ts';
import { ReadQueue, type ReadyRead } from './read-queue.ts';
import type { Rules } from './rules.ts';
import type {
  CheckpointMeta,
  ConfigurationAt,
  Entry,
  HardState,
  LogId,
  LogIndex,
  LogPosition,
  Role,
  ServerId,
  Term,
} from './types.ts';

/** What the disk held when the server started. */
export interface Recovered {
  /** Absent: 0. */
  readonly logId?: LogId;
  readonly hardState: HardState;
  readonly prefix: LogPosition;
  readonly lastIndex: LogIndex;
  readonly termBoundaries: readonly TermBoundary[];
  /** In force at the prefix. */
  readonly base: ConfigurationAt;
  readonly configurations: readonly ConfigurationAt[];
}

export interface CoreOptions {
  readonly id: ServerId;
  readonly settings: RaftSettings;
  readonly rules: Rules;
  readonly random: Random;
  readonly recovered: Recovered;
  readonly appliedIndex: LogIndex;
  readonly nowMs: number;
}

export interface Leadership {
  /** The entry appended on election; once it is committed the leader may read and change membership. */
  readonly firstIndex: LogIndex;
  readonly peers: Map<ServerId, Progress>;
  readonly reads: ReadQueue;
  readonly backlog: Backlog;
  /** Ticks of the newest commit and of the one before it. */
  lastCommitTick: number;
  previousCommitTick: number;
  /** The tick in which it was last asked to write or to read. */
  usedTick: number;
  transfer: { readonly to: ServerId; readonly startedTick: number; ordered: boolean } | undefined;
  /** TimeoutNow left in this term: some voter may campaign without waiting for the lease. */
  transferOrdered: boolean;
}

export interface Candidacy {
  readonly votes: Map<ServerId, boolean>;
  /** The own vote counts once this persist is durable. */
  readonly persistNumber: number;
}

export class CoreState {
  readonly id: ServerId;
  /** Of the own log. */
  readonly logId: LogId;
  readonly settings: RaftSettings;
  readonly rules: Rules;
  readonly random: Random;
  readonly log: LogView;
  readonly membership: Membership;
  readonly persistence: Persistence;

  term: Term;
  votedFor: ServerId | '';
  role: Role = 'follower';
  leaderId: ServerId | '' = '';
  commitIndex: LogIndex;
  appliedIndex: LogIndex;
  leadership: Leadership | undefined;
  candidacy: Candidacy | undefined;
  /** A received checkpoint is replacing state and log; the log takes no entries meanwhile. */
  installing: CheckpointMeta | undefined;

  /** Monotonic time of the current input. */
  nowMs: number;
  /** When it was last noticed that the clock had stood while time went on. */
  clockStoodMs = Number.NEGATIVE_INFINITY;
  /** No vote before this much time since the start: this server may have promised a lease before it restarted. */
  readonly startedMs: number;
  tickCount = 0;
  /** Ticks since the election timer was reset, and how many it waits. */
  electionTicks = 0;
  electionTimeoutTicks = 0;
  readonly lateness = new Lateness();
  /** How late the leader's timers are, as it says: its silence is no sign of death for so much longer. */
  leaderLateMs = 0;
  /** When the last message of a leader arrived, of whatever term: an old leader's lease outlives its term. */
  contactMs = Number.NEGATIVE_INFINITY;
  /** The connection to the leader broke; attempts left to replace it at once, and ticks until the next. */
  lostContact: { attempts: number; ticks: number } | undefined;
  /** Commit index of the leader when an append was first heard since the start. */
  filledAt: LogIndex = Number.POSITIVE_INFINITY;
  /** The persist that covers the current term and vote. */
  hardStatePersist = 0;

  loads: LoadRequest[] = [];
  readsReady: ReadyRead[] = [];
  readsFailed: number[] = [];
  checkpointsFor: ServerId[] = [];
  events: CoreEvent[] = [];

  constructor(options: CoreOptions) {
    const { recovered } = options;
    this.id = options.id;
    this.logId = recovered.logId ?? 0;
    this.settings = options.settings;
    this.rules = options.rules;
    this.random = options.random;
    this.term = recovered.hardState.term;
    this.votedFor = recovered.hardState.votedFor;
    this.log = new LogView(
      recovered.prefix,
      recovered.termBoundaries,
      recovered.lastIndex,
      options.settings.tailBytesMax,
    );
    this.membership = new Membership(recovered.base, recovered.configurations);
    this.persistence = new Persistence(options.rules, recovered.lastIndex);
    assert(this.term >= this.log.lastTerm, 'the term on disk is older than the log');
    assert(options.appliedIndex >= recovered.prefix.index, 'state older than the log');
    assert(options.appliedIndex <= recovered.lastIndex, 'state newer than the log');
    this.appliedIndex = options.appliedIndex;
    this.commitIndex = options.appliedIndex;
    this.nowMs = options.nowMs;
    this.startedMs = this.term > 0 ? options.nowMs : Number.NEGATIVE_INFINITY;
    this.resetElectionTimer();
  }

  /** No voter, and not yet as far as the leader was when it was first heard since the start: the state is a part of one. */
  get isFilling(): boolean {
    if (this.appliedIndex >= this.filledAt) return false;
    const { latest } = this.membership;
    return !(isVoter(latest, this.id) && this.rules.isSameLog(logIdOf(latest, this.id), this.logId));
  }

  /** What every answer says of this server. */
  get signature(): { readonly logId?: LogId } {
    return this.logId === 0 ? {} : { logId: this.logId };
  }

  get electionTimeoutMs(): number {
    return this.settings.electionTimeoutTicks * this.settings.tickMs;
  }

  resetElectionTimer(): void {
    const n = this.settings.electionTimeoutTicks;
    this.electionTicks = 0;
    this.electionTimeoutTicks = this.random.int(n, 2 * n - 1);
  }

  becomeFollower(term: Term, leaderId: ServerId | ''): void {
    assert(term >= this.term, 'terms only grow');
    const termChanged = term !== this.term;
    if (termChanged) this.setHardState(term, '');
    this.#endLeadership();
    this.candidacy = undefined;
    this.#setRole('follower', termChanged);
    this.setLeader(leaderId);
    this.resetElectionTimer();
  }

  becomePreCandidate(): void {
    assert(this.role !== 'leader', 'a leader does not campaign');
    this.candidacy = { votes: new Map([[this.id, true]]), persistNumber: 0 };
    this.#setRole('preCandidate', false);
    this.setLeader('');
    this.resetElectionTimer();
  }

  becomeCandidate(): void {
    assert(this.role !== 'leader', 'a leader does not campaign');
    this.setHardState(this.term + 1, this.id);
    this.candidacy = { votes: new Map(), persistNumber: this.rules.voteWaitsFor(this.persistence.newest) };
    this.#setRole('candidate', true);
    this.setLeader('');
    this.resetElectionTimer();
  }

  becomeLeader(): void {
    assert(this.role === 'candidate', 'only a candidate becomes leader');
    assert(this.installing === undefined, 'a leader does not install checkpoints');
    this.candidacy = undefined;
    this.leadership = {
      firstIndex: this.log.lastIndex + 1,
      peers: new Map(),
      reads: new ReadQueue(),
      backlog: new Backlog(),
      lastCommitTick: Number.NEGATIVE_INFINITY,
      previousCommitTick: Number.NEGATIVE_INFINITY,
      usedTick: this.tickCount,
      transfer: undefined,
      transferOrdered: false,
    };
    this.syncPeers();
    this.#setRole('leader', false);
    this.setLeader(this.id);
    this.electionTicks = 0;
    this.appendOwn({ kind: 'noop', index: this.log.lastIndex + 1, term: this.term });
  }

  /** Makes the leader's list of peers that of the latest configuration. */
  syncPeers(): void {
    const { leadership } = this;
    if (leadership === undefined) return;
    const members = membersOf(this.membership.latest);
    for (const id of members) {
      if (id === this.id || leadership.peers.has(id)) continue;
      const { inflightMessagesMax, inflightBytesMax, inflightEntriesMax } = this.settings;
      const window = {
        messagesMax: inflightMessagesMax,
        bytesMax: inflightBytesMax,
        entriesMax: inflightEntriesMax,
      };
      const progress = new Progress(this.log.lastIndex + 1, this.tickCount, window);
      progress.logId = logIdOf(this.membership.latest, id);
      leadership.peers.set(id, progress);
    }
    for (const id of [...leadership.peers.keys()]) if (!members.includes(id)) leadership.peers.delete(id);
  }

  setHardState(term: Term, votedFor: ServerId | ''): void {
    if (term === this.term && votedFor === this.votedFor) return;
    assert(term > this.term || this.votedFor === '', 'a vote is not taken back within its term');
    if (term > this.term) this.persistence.forgetWaiting();
    this.term = term;
    this.votedFor = votedFor;
    this.persistence.hardState({ term, votedFor });
    this.hardStatePersist = this.persistence.newest;
  }

  /** Appends to the log of this server, as leader or from a leader. */
  append(entry: Entry): void {
    this.log.append(entry);
    this.persistence.append(entry);
    if (entry.kind !== 'configuration') return;
    this.membership.append(entry.index, entry.configuration);
    this.events.push({ kind: 'members', configuration: entry.configuration });
    this.syncPeers();
  }

  appendOwn(entry: Entry): void {
    assert(this.leadership !== undefined && entry.term === this.term, 'a leader appends entries of its own term');
    this.leadership.usedTick = this.tickCount;
    this.append(entry);
  }

  /** Removes everything from `from` on: entries of a leader that lost. */
  truncate(from: LogIndex): void {
    assert(from > this.commitIndex, 'a committed entry is never removed');
    assert(this.leadership === undefined, 'a leader only appends');
    this.log.truncate(from);
    this.persistence.truncate(from);
    const before = this.membership.latestIndex;
    this.membership.truncate(from);
    if (this.membership.latestIndex !== before) {
      this.events.push({ kind: 'members', configuration: this.membership.latest });
    }
  }

  /** A message of the leader of this term arrived. */
  heardFromLeader(leaderId: ServerId): void {
    assert(this.leadership === undefined, 'two leaders in one term');
    if (this.role !== 'follower') this.becomeFollower(this.term, leaderId);
    this.setLeader(leaderId);
    this.contactMs = this.nowMs;
    this.lostContact = undefined;
    this.electionTicks = 0;
  }

  setLeader(leaderId: ServerId | ''): void {
    if (leaderId === this.leaderId) return;
    this.leaderId = leaderId;
    this.leaderLateMs = 0;
    this.lostContact = undefined;
    this.events.push({ kind: 'leader', leaderId: leaderId === '' ? undefined : leaderId, term: this.term });
  }

  commitTo(index: LogIndex): void {
    assert(index >= this.commitIndex, 'the commit index never falls');
    assert(index <= this.log.lastIndex, 'commit beyond the log');
    this.commitIndex = index;
  }

  /** Sends something that promises nothing, as soon as the term it names is on disk. */
  send(message: Message): void {
    this.persistence.sendAfter(this.hardStatePersist, message);
  }

  /** On the leader: the newest moment after which a majority is known to have heard from it. */
  leaseContactMs(): number {
    const peers = this.leadership?.peers;
    if (peers === undefined) return Number.NEGATIVE_INFINITY;
    return this.rules.leaseContact(this.membership.latest, (id) =>
      id === this.id ? this.nowMs : (peers.get(id)?.contactMs ?? Number.NEGATIVE_INFINITY),
    );
  }

  #endLeadership(): void {
    const { leadership } = this;
    if (leadership === undefined) return;
    this.leadership = undefined;
    this.readsFailed.push(...leadership.reads.takeAll());
    if (leadership.transfer !== undefined) {
      this.events.push({ kind: 'transferEnded', succeeded: true, to: leadership.transfer.to });
    }
  }

  #setRole(role: Role, termChanged: boolean): void {
    if (role === this.role && !termChanged) return;
    this.role = role;
    this.events.push({ kind: 'role', role, term: this.term });
  }
}
