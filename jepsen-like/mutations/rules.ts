/** Wrong rules, each a bug that some published Raft has had. */
import { majority, quorumValue, voteResult } from '../../src/raft/core/quorum.ts';
import type { Rules } from '../../src/raft/core/rules.ts';
import type { Configuration } from '../../src/raft/index.ts';
import type { Mutation } from './mutation.ts';

/** The same wrong count for pre-votes and for votes. */
const elect = (count: Rules['electionResult']): Partial<Rules> => ({ electionResult: count, preVoteResult: count });

/** Learners count as if they were voters, of whom a majority is needed. */
const withLearners = ({ voters, learners }: Configuration, reached: (id: string) => number): number =>
  [...voters, ...learners].map(reached).sort((a, b) => b - a)[majority(voters.length) - 1] ?? Number.NEGATIVE_INFINITY;

export const ruleMutations: readonly Mutation[] = [
  {
    name: 'vote answered before it is durable',
    source: 'R03, nodedb #161',
    rules: { voteWaitsFor: () => 0 },
  },
  {
    name: 'append acknowledged before it is durable',
    source: 'R04, etcd #14370',
    rules: { acknowledgementWaitsFor: () => 0 },
  },
  {
    name: 'leader counts its own copy before its disk has it',
    source: 'R06, NuRaft #274',
    rules: { ownMatchIndex: (lastIndex) => lastIndex },
  },
  {
    name: 'late disk confirmation counts for entries that replaced the written ones',
    source: 'R07, etcd/raft async storage (ABA)',
    rules: { persistReachesAfterTruncation: (reaches) => reaches },
  },
  {
    name: 'a suffix is removed though it does not conflict',
    source: 'R08, openraft 9540c904',
    rules: { firstNewEntry: () => 0 },
  },
  {
    name: 'what precedes an append is not compared',
    source: 'Raft §5.3',
    rules: { appendFits: (own) => own !== undefined },
  },
  {
    name: 'an entry of an older term is committed by counting',
    source: 'R10, Raft §5.4.2 Figure 8',
    rules: { mayCommitByCounting: (term) => term !== undefined },
  },
  {
    name: 'one half of a joint configuration commits',
    source: 'R11, openraft beb0302b',
    rules: { replicatedIndex: ({ voters }, matchIndex) => quorumValue([voters], matchIndex) },
  },
  {
    name: 'learners count for commitment',
    source: 'R11',
    rules: { replicatedIndex: withLearners },
  },
  {
    name: 'half is a majority for commitment',
    source: 'R12, hashicorp/raft 163a55f',
    rules: { replicatedIndex: ({ voters }, matchIndex) => quorumValue([voters], matchIndex, (n) => Math.ceil(n / 2)) },
  },
  {
    name: 'half is a majority for elections',
    source: 'R12',
    rules: elect(({ voters }, votes) => voteResult([voters], votes, (n) => Math.ceil(n / 2))),
  },
  {
    name: 'logs are compared by length alone',
    source: 'R13, openraft a48a3282',
    rules: { logIsUpToDate: (candidate, own) => candidate.index >= own.index },
  },
  {
    name: 'any log is good enough for a vote',
    source: 'Raft §5.4.1',
    rules: { logIsUpToDate: () => true },
  },
  {
    name: 'two votes in one term',
    source: 'Raft §5.2',
    rules: { voteIsFree: () => true },
  },
  {
    name: 'half of a joint configuration elects',
    source: 'R14, Raft §6',
    rules: elect(({ voters }, votes) => voteResult([voters], votes)),
  },
  {
    name: 'the configuration after an install is the one from before',
    source: 'R15, scylladb #9551',
    rules: { configurationAfterInstall: (_from, before) => before },
  },
  {
    name: 'an older checkpoint may be installed',
    source: 'R17, R18, openraft eed681d5',
    rules: { mayInstall: () => true },
  },
  {
    name: 'a change of members before an entry of the own term is committed',
    source: 'R23, Ongaro 2015',
    harmless:
      'the bug is one of changes in a single step. Here voters change through a joint configuration, which is left only once it is ' +
      'committed, and no other change begins before: every later leader has it, and its majorities meet those of the next',
    rules: { mayChangeConfiguration: ({ configuration }) => configuration.votersOutgoing.length === 0 },
  },
  {
    name: 'a change in one step before an entry of the own term is committed',
    source: 'R23, Ongaro 2015',
    rules: {
      joint: () => [],
      mayChangeConfiguration: ({ configuration }) => configuration.votersOutgoing.length === 0,
    },
  },
  {
    name: 'voters change in one step',
    source: 'M02, Raft §6',
    rules: { joint: () => [] },
  },
  {
    name: 'a joint configuration is left before it is committed',
    source: 'R24, camunda #60086',
    rules: { mayLeaveJoint: ({ votersOutgoing }) => votersOutgoing.length > 0 },
  },
  {
    name: 'votes do not wait for a lease',
    source: 'R30, hashicorp/raft #108',
    rules: { voterMustWait: () => false },
  },
  {
    name: 'a server that restarts forgets that it promised a lease',
    source: 'R30',
    rules: {
      voterMustWait: ({ sinceContactMs, leaseMs, electionTimeoutMs, lostContact }) =>
        sinceContactMs < (lostContact ? leaseMs : electionTimeoutMs),
    },
  },
  {
    name: 'the lease is as long as a whole election timeout',
    source: 'R33',
    rules: {
      leaseIsValid: ({ contactMs, nowMs, leaseMs, transferOrdered, clockStoodMs }) =>
        !transferOrdered && contactMs > clockStoodMs && nowMs - contactMs < 4 * leaseMs,
    },
  },
  {
    name: 'a leader always believes in its lease',
    source: 'R31, sofa-jraft #25',
    rules: { leaseIsValid: () => true },
  },
  {
    name: 'the lease survives the order to transfer leadership',
    source: 'R32, openraft #1747',
    rules: {
      leaseIsValid: ({ contactMs, nowMs, leaseMs, driftMargin, clockStoodMs }) =>
        contactMs > clockStoodMs && nowMs - contactMs < leaseMs * (1 - driftMargin),
    },
  },
  {
    name: 'the lease trusts a clock that stood still',
    source: 'P06, tikv #964',
    rules: {
      leaseIsValid: ({ contactMs, nowMs, leaseMs, driftMargin, transferOrdered }) =>
        !transferOrdered && nowMs - contactMs < leaseMs * (1 - driftMargin),
    },
  },
  {
    name: 'a read is confirmed without an answer to its round',
    source: 'R34, etcd/raft #397',
    rules: { confirmedRound: () => Number.POSITIVE_INFINITY },
  },
  {
    name: 'reads before an entry of the own term is committed',
    source: 'R35, Raft dissertation §6.4',
    rules: { mayReadAt: () => true },
  },
  {
    name: 'a follower believes any commit index',
    source: 'Raft Figure 2',
    harmless:
      'a leader goes back no further than to the last index at which the logs may agree, and its log goes on there at least with the ' +
      'first entry of its term: the first append that fits removes whatever differs, so that nothing old is left to be believed',
    rules: { followerCommitIndex: (leaderCommit) => leaderCommit },
  },
  {
    name: 'heartbeats tell a commit index that the follower may not hold',
    source: 'Raft Figure 2',
    rules: { heartbeatCommitIndex: (commitIndex) => commitIndex },
  },
  {
    name: 'an append below the first log entry instead of a checkpoint',
    source: 'R36, etcd/raft 76f1249',
    rules: { needsCheckpoint: (nextIndex, prefixIndex) => nextIndex < prefixIndex },
  },
  {
    name: 'messages of earlier terms are obeyed',
    source: 'R01, Raft §5.1',
    rules: { isStale: () => false },
  },
  {
    name: 'the log is truncated beyond the durable checkpoint',
    source: 'D20, rqlite #1905',
    rules: { truncationLimit: (_durable, appliedIndex) => appliedIndex + 50 },
  },
  {
    name: 'entries are applied before the own disk has them',
    source: 'R44, D18',
    rules: { applyLimit: (commitIndex) => commitIndex },
  },
  {
    name: 'a voter whose disk was replaced counts as before',
    source: 'Raft §5.1, stable storage; hashicorp/raft: same id, new data',
    rules: { isSameLog: () => true },
  },
  {
    name: 'a follower acknowledges all that it has, also what was not compared',
    source: 'Raft §5.3, Figure 2',
    harmless:
      'refusals lead a new leader back to exactly where the logs part, never below, so the first append that fits removes all that ' +
      'was not compared; what is compared later ends in entries of its own',
    rules: { acknowledgedIndex: (_lastMatched, lastIndex) => lastIndex },
  },
  {
    name: 'what was compacted is taken for a conflict',
    source: 'R09, openraft 44381b0c',
    harmless:
      'the refusal names where the logs may agree, which is not below what is compacted, and committed entries are never removed: it ' +
      'costs a round trip',
    rules: { appendFits: (own, prevTerm) => own === prevTerm },
  },
  {
    name: 'an election begins without asking first',
    source: 'R39, Raft dissertation §9.6',
    rules: { preVoteResult: () => 'won' },
  },
  {
    name: 'a leader that nobody answers goes on',
    source: 'N05, R40, cockroach #104042',
    rules: { quorumIsLost: () => false },
  },
  {
    name: 'a leader that was removed stays',
    source: 'R42, Raft §6',
    rules: { leaderMustGo: () => false },
  },
  {
    name: 'a leader goes before the configuration without it is committed',
    source: 'R42, openraft 0023cff1',
    rules: {
      leaderMustGo: ({ configuration: { voters, votersOutgoing }, self }) =>
        !voters.includes(self) && votersOutgoing.length === 0,
    },
  },
  {
    name: 'leadership is handed to a server that lacks entries',
    source: 'M06, R41',
    harmless:
      'its voters have the longer log and refuse it; the order costs an election, and the lease was void before it left',
    rules: { mayOrderTransfer: () => true },
  },
  {
    name: 'the lease begins when the answer arrives',
    source: 'R33, Raft dissertation §6.4.1',
    rules: { contactSince: (_sentMs, nowMs) => nowMs },
  },
  {
    name: 'learners hold a lease',
    source: 'C20, R11',
    rules: { leaseContact: withLearners },
  },
  {
    name: 'learners confirm a read',
    source: 'R12, R11',
    rules: { confirmedRound: withLearners },
  },
  {
    name: 'a removed server campaigns',
    source: 'R26, hashicorp/raft #476',
    rules: {
      mayCampaign: () => true,
      ...elect(({ voters }, votes) => voteResult([voters.filter((id) => votes.has(id))], votes)),
    },
  },
];
