/**
 * Every expected error of the pool. Each says what state is left behind; packets that make no sense are not errors but
 * counters (metrics.ts), since anyone can send one.
 */
import { HeddleError } from '../std/errors.ts';

export const gossipErrorCodes = {
  'bad-option': 'An option cannot be used (name, address, tags, key). Nothing was started or changed.',
  'bind-failed': 'UDP or TCP could not listen on the address. Nothing was started.',
  'join-failed': 'None of the addresses could be joined. Nothing changed; retry when a member is reachable.',
  'not-reachable': 'A member could not be contacted over TCP. Nothing changed.',
  'join-refused': 'The state of the other side was refused (versions, admission). Its state was not merged.',
  'tags-too-large': 'The encoded tags exceed 512 bytes. The old tags stand.',
  'event-too-large': 'Name and payload, or the encoded event, exceed the limit. Nothing was sent.',
  'query-too-large': 'The encoded query exceeds the limit. Nothing was sent.',
  'query-response-too-large': 'The encoded response exceeds the limit. The query may still be answered.',
  'query-already-answered': 'A query is answered at most once. The first answer stands.',
  'query-timed-out': 'The asker has stopped listening. Nothing was sent.',
  'broadcast-timeout': 'The broadcast was not transmitted often enough in time. It may still reach members.',
  'no-such-member': 'No member has this name. Nothing changed.',
  'key-operation-failed':
    'Some members did not answer or refused; `result` in the fields says who. Others have applied it.',
  stopped: 'The node was stopped. Nothing was sent.',
} as const;

export type GossipErrorCode = keyof typeof gossipErrorCodes;

export class GossipError extends HeddleError<GossipErrorCode> {}
