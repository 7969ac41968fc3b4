/** Follower: believes its leader, votes, and starts asking when the leader falls silent. Learners are followers too. */
import { answerPreVote, answerVote, electionTick, mayCampaign, startElection } from '../election.ts';
import { takeAppend, takeHeartbeat } from '../following.ts';
import { ignored, type RoleTable } from './table.ts';

export const follower: RoleTable = {
  tick: electionTick,
  preVoteRequest: answerPreVote,
  preVoteResponse: ignored('it asked in another role; it has found a leader or given up since'),
  voteRequest: answerVote,
  voteResponse: ignored('it has found a leader or given up since'),
  append: takeAppend,
  appendResponse: ignored('a follower never appended anything in this term'),
  heartbeat: takeHeartbeat,
  heartbeatResponse: ignored('a follower sends no heartbeats'),
  timeoutNow: (state) => {
    if (mayCampaign(state)) startElection(state, true);
  },
};
