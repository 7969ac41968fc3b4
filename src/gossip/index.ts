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
  KeyResult,
  Logger,
  Member,
  MemberStatus,
  QueryHandle,
  QueryParams,
  QueryResponse,
  UserEvent,
} from './api.ts';
export { type GossipConfig, gossipConfig, type Profile } from './config.ts';
export { GossipError, type GossipErrorCode, gossipErrorCodes } from './errors.ts';
export type { Coordinate } from './serf/coordinate.ts';
export type { Endpoint, Transport } from './transport/transport.ts';
