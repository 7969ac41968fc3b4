/**
 * How a leader is found: timers, pre-votes, votes. A pre-vote changes nothing anywhere, so a server that cannot win does not
 * disturb those who have a leader; the election proper costs a new term and a vote on disk.
 */
import { isVoter, logIdOf, membersOf } from './membership.ts';
import type { PreVoteRequest, PreVoteResponse, VoteRequest, VoteResponse } from './messages.ts';
import type { CoreState } from './state.ts';
import type { LogId, ServerId, Term } from './types.ts';

/** Attempts to replace a leader whose connection broke before the ordinary timeout takes over. */
const lostContactAttempts = 6;

export function mayCampaign(state: CoreState): boolean {
  const { membership, commitIndex } = state;
  const committed = membership.at(Math.max(commitIndex, state.log.prefix.index));
  return (
    state.installing === undefined &&
    !hasLostLog(state) &&
    state.rules.mayCampaign(membership.latest, committed, state.id)
  );
}

/** A voter answers that the own configuration knows with another log. */
function isStrange(state: CoreState, from: ServerId, logId: LogId): boolean {
  const { latest } = state.membership;
  return isVoter(latest, from) && !state.rules.isSameLog(logIdOf(latest, from), logId);
}

/** This server itself is one of them: it has learned from the log of others that it once was a voter. */
export const hasLostLog = (state: CoreState): boolean => isStrange(state, state.id, state.logId);

/** The election timer of everybody but the leader. */
export function electionTick(state: CoreState): void {
  if (!mayCampaign(state)) return;
  if (state.electionTicks >= state.electionTimeoutTicks + allowanceTicks(state)) startPreVote(state);
  else if (state.lostContact !== undefined) lostContactTick(state, state.lostContact);
}

/** For a leader that said that its timers are late: so much longer, twice the election timeout at most. */
function allowanceTicks({ leaderLateMs, settings }: CoreState): number {
  return Math.min(Math.ceil(leaderLateMs / settings.tickMs), 2 * settings.electionTimeoutTicks);
}

/**
 * The leader is probably dead: ask as soon as its lease has run out. Its followers have heard from it at the same moment and all ask at
 * once; `answerRivalPreVote` says who goes first. Further attempts are a few random ticks apart.
 */
function lostContactTick(state: CoreState, lost: { attempts: number; ticks: number }): void {
  if (voterMustWait(state) || --lost.ticks > 0) return;
  lost.attempts--;
  lost.ticks = state.random.int(3, 8);
  const left = lost.attempts > 0 ? lost : undefined;
  startPreVote(state);
  if (state.role !== 'leader') state.lostContact = left;
}

/** The connection to a peer broke. Only a hint: if it is the leader's, its followers ask around at once. */
export function peerBroken(state: CoreState, peer: ServerId): void {
  const progress = state.leadership?.peers.get(peer);
  if (progress?.state === 'replicate') progress.becomeProbe(progress.matchIndex + 1);
  if (state.role === 'follower' && state.leaderId === peer) {
    state.lostContact = { attempts: lostContactAttempts, ticks: 0 };
  }
}

function startPreVote(state: CoreState): void {
  state.becomePreCandidate();
  if (state.rules.preVoteResult(state.membership.latest, state.candidacy!.votes) === 'won') {
    startElection(state, false);
    return;
  }
  const { index, term } = state.log.last;
  for (const to of membersOf(state.membership.latest)) {
    if (to === state.id || !isVoter(state.membership.latest, to)) continue;
    const request = { from: state.id, to, term: state.term + 1, lastIndex: index, lastTerm: term } as const;
    state.send({ kind: 'preVoteRequest', ...request });
  }
}

export function startElection(state: CoreState, transfer: boolean): void {
  state.becomeCandidate();
  const { index, term } = state.log.last;
  for (const to of membersOf(state.membership.latest)) {
    if (to === state.id || !isVoter(state.membership.latest, to)) continue;
    const request = { from: state.id, to, term: state.term, lastIndex: index, lastTerm: term, transfer } as const;
    state.persistence.sendAfter(state.hardStatePersist, { kind: 'voteRequest', ...request });
  }
  ownVoteDurable(state);
}

/** The candidate's own vote counts when its disk has it. */
export function ownVoteDurable(state: CoreState): void {
  const { candidacy } = state;
  if (state.role !== 'candidate' || candidacy === undefined || candidacy.votes.has(state.id)) return;
  if (!state.persistence.isDone(candidacy.persistNumber)) return;
  candidacy.votes.set(state.id, true);
  countVotes(state);
}

export function voterMustWait(state: CoreState): boolean {
  const contactMs = state.leadership === undefined ? state.contactMs : state.leaseContactMs();
  return state.rules.voterMustWait({
    sinceContactMs: state.nowMs - contactMs,
    sinceStartMs: state.nowMs - state.startedMs,
    leaseMs: state.settings.leaseMs,
    electionTimeoutMs: state.electionTimeoutMs,
    lostContact: state.lostContact !== undefined,
  });
}

/** Would I vote for it? Tells what was answered. */
export function answerPreVote(state: CoreState, request: PreVoteRequest): boolean {
  const candidate = { index: request.lastIndex, term: request.lastTerm };
  const granted =
    request.term > state.term && !voterMustWait(state) && state.rules.logIsUpToDate(candidate, state.log.last);
  // After a yes, let the asker go first: two servers that ask at the same time would split the votes.
  if (granted && state.lostContact !== undefined) state.lostContact.ticks = Math.max(state.lostContact.ticks, 5);
  const term = granted ? request.term : state.term;
  state.send({ kind: 'preVoteResponse', from: state.id, to: request.from, term, ...state.signature, granted });
  return granted;
}

/**
 * A pre-candidate is asked by another. Followers that lost their leader at the same moment ask at the same moment; each would say yes
 * to the other, both would become candidates, and s1 and s2 of three, their votes given to themselves, would wait out a timeout. So the
 * better log, or on a tie the higher id, goes first: it says no, and the other one gives way. Only while its own question is
 * young: should the answers to it be lost, nobody is kept waiting for long. A no to a pre-vote costs no safety.
 */
export function answerRivalPreVote(state: CoreState, request: PreVoteRequest): void {
  const { index, term } = state.log.last;
  const order = term - request.lastTerm || index - request.lastIndex || (state.id > request.from ? 1 : -1);
  const young = state.electionTicks <= state.settings.heartbeatTicks;
  if (order > 0 && young && request.term === state.term + 1) {
    const envelope = { from: state.id, to: request.from, term: state.term, ...state.signature } as const;
    state.send({ kind: 'preVoteResponse', ...envelope, granted: false });
    return;
  }
  if (answerPreVote(state, request)) giveUp(state);
}

/** Ends an own candidacy without a leader in sight. What is known of the old leader's connection is kept. */
function giveUp(state: CoreState): void {
  const { lostContact } = state;
  state.becomeFollower(state.term, '');
  state.lostContact = lostContact;
  // Should the other one fail, a short random pause is enough; pre-votes keep it harmless.
  const { heartbeatTicks, electionTimeoutTicks } = state.settings;
  state.electionTimeoutTicks = state.random.int(2 * heartbeatTicks, electionTimeoutTicks);
}

/** A candidate's later term. What is known of the old leader's connection still decides how long its lease is waited for. */
export function forgetLeader(state: CoreState, term: Term): void {
  const { lostContact } = state;
  state.becomeFollower(term, '');
  state.lostContact = lostContact;
}

/** Same term: the vote itself. */
export function answerVote(state: CoreState, request: VoteRequest): void {
  const candidate = { index: request.lastIndex, term: request.lastTerm };
  const granted =
    state.rules.voteIsFree(state.votedFor, request.from) &&
    (state.leaderId === '' || state.leaderId === request.from) &&
    (request.transfer || !voterMustWait(state)) &&
    state.rules.logIsUpToDate(candidate, state.log.last);
  if (granted) {
    state.setHardState(state.term, request.from);
    state.resetElectionTimer();
    if (state.lostContact !== undefined) state.lostContact.ticks = Math.max(state.lostContact.ticks, 8);
  }
  const envelope = { from: state.id, to: request.from, term: state.term, ...state.signature } as const;
  const response = { kind: 'voteResponse', ...envelope, granted } as const;
  state.persistence.sendAfter(state.rules.voteWaitsFor(state.persistence.newest), response);
}

export function takePreVote(state: CoreState, response: PreVoteResponse): void {
  // A yes names the term asked for, a no the answerer's own.
  if (response.granted && response.term !== state.term + 1) return;
  if (isStrange(state, response.from, response.logId ?? 0)) return;
  state.candidacy?.votes.set(response.from, response.granted);
  countVotes(state);
}

export function takeVote(state: CoreState, response: VoteResponse): void {
  if (isStrange(state, response.from, response.logId ?? 0)) return;
  state.candidacy?.votes.set(response.from, response.granted);
  countVotes(state);
}

function countVotes(state: CoreState): void {
  const { candidacy, role } = state;
  if (candidacy === undefined) return;
  const { rules, membership } = state;
  const count = role === 'preCandidate' ? rules.preVoteResult : rules.electionResult;
  const result = count(membership.latest, candidacy.votes);
  if (result === 'pending') return;
  if (result === 'lost') {
    const { lostContact } = state;
    state.becomeFollower(state.term, '');
    state.lostContact = lostContact;
    // A split vote is settled sooner by a short random pause than by a whole timeout; pre-votes keep it harmless.
    if (role === 'candidate') {
      const { heartbeatTicks, electionTimeoutTicks } = state.settings;
      state.electionTimeoutTicks = state.random.int(heartbeatTicks, electionTimeoutTicks);
    }
  } else if (role === 'preCandidate') startElection(state, false);
  else state.becomeLeader();
}
