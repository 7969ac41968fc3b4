/** The one door of the gossip library. */
export type {
  Gossip,
  GossipEdges,
  GossipEvents,
  GossipOptions,
  IncomingQuery,
  JoinOptions,
  JoinResult,
  KeyManager,
  Logger,
  QueryHandle,
  QueryParams,
  QueryResponse,
} from './api.ts';
export { type GossipConfig, gossipConfig, type Profile } from './config.ts';
export { GossipError, type GossipErrorCode, gossipErrorCodes } from './errors.ts';
export { Counters, counterHelp } from './metrics.ts';
export { GossipNode } from './node.ts';
export type { Coordinate } from './serf/coordinate.ts';
export { distance } from './serf/coordinate.ts';
export type { KeyResult } from './serf/internal-queries.ts';
export type { Member, MemberStatus } from './serf/member.ts';
export type { UserEvent } from './serf/user-event.ts';
export type { Endpoint } from './swim/types.ts';
export { SocketTransport } from './transport/sockets.ts';
export type { Transport } from './transport/transport.ts';
