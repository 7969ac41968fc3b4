/** Leader: counts answers. In its own term nobody else leads, so whatever another leader would say is a defect of the sender. */
import { answerPreVote, answerVote } from '../election.ts';
import type { MessageKind } from '../messages.ts';
import { leaderTick, takeAppendResponse, takeHeartbeatResponse } from '../replication.ts';
import type { CoreState } from '../state.ts';
import { ignored, type RoleTable } from './table.ts';

const twoLeaders = (kind: MessageKind) => (state: CoreState, message: { readonly from: string }) => {
  state.events.push({ kind: 'badMessage', from: message.from, reason: `${kind} in the term that this server leads` });
};

export const leader: RoleTable = {
  tick: (state) => leaderTick(state, state.leadership!),
  preVoteRequest: answerPreVote,
  preVoteResponse: ignored('a late answer to what has been decided'),
  voteRequest: answerVote,
  voteResponse: ignored('a vote beyond the majority'),
  append: twoLeaders('append'),
  appendResponse: (state, response) => takeAppendResponse(state, state.leadership!, response),
  heartbeat: twoLeaders('heartbeat'),
  heartbeatResponse: (state, response) => takeHeartbeatResponse(state, state.leadership!, response),
  timeoutNow: ignored('it leads already'),
};
