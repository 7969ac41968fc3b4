/** Pre-candidate and candidate: both ask, both give way to a leader of their term. */
import { answerPreVote, answerRivalPreVote, answerVote, electionTick, takePreVote, takeVote } from '../election.ts';
import { takeAppend, takeHeartbeat } from '../following.ts';
import { ignored, type RoleTable } from './table.ts';

export const preCandidate: RoleTable = {
  tick: electionTick,
  preVoteRequest: answerRivalPreVote,
  preVoteResponse: takePreVote,
  voteRequest: answerVote,
  voteResponse: ignored('a vote of an election that this server gave up in the same term'),
  append: takeAppend,
  appendResponse: ignored('a pre-candidate never appended anything in this term'),
  heartbeat: takeHeartbeat,
  heartbeatResponse: ignored('a pre-candidate sends no heartbeats'),
  timeoutNow: ignored('it is asking already'),
};

export const candidate: RoleTable = {
  tick: electionTick,
  preVoteRequest: answerPreVote,
  preVoteResponse: ignored('the pre-vote is over'),
  // It voted for itself in this term, so this answers no; but the asker must hear it.
  voteRequest: answerVote,
  voteResponse: takeVote,
  append: takeAppend,
  appendResponse: ignored('a candidate never appended anything in this term'),
  heartbeat: takeHeartbeat,
  heartbeatResponse: ignored('a candidate sends no heartbeats'),
  timeoutNow: ignored('it is campaigning already'),
};
