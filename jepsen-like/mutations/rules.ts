/** Wrong rules, each a bug that some published Raft has had. */
import { majority, quorumValue, voteResult } from '../../src/raft/core/quorum.ts';
import type { Mutation } from './mutation.ts';

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
    rules: {
      replicatedIndex: ({ voters, learners }, matchIndex) => {
        const reached = [...voters, ...learners].map(matchIndex).sort((a, b) => b - a);
        return reached[majority(voters.length) - 1] ?? Number.NEGATIVE_INFINITY;
      },
    },
  },
  {
    name: 'half is a majority for commitment',
    source: 'R12, hashicorp/raft 163a55f',
    rules: { replicatedIndex: ({ voters }, matchIndex) => quorumValue([voters], matchIndex, (n) => Math.ceil(n / 2)) },
  },
  {
    name: 'half is a majority for elections',
    source: 'R12',
    rules: { electionResult: ({ voters }, votes) => voteResult([voters], votes, (n) => Math.ceil(n / 2)) },
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
    rules: { electionResult: ({ voters }, votes) => voteResult([voters], votes) },
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
    name: 'a removed server campaigns',
    source: 'R26, hashicorp/raft #476',
    rules: {
      mayCampaign: () => true,
      electionResult: ({ voters }, votes) => voteResult([voters.filter((id) => votes.has(id))], votes),
    },
  },
];
