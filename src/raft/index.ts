/** The one door of the consensus library. */

export type { Clock } from '../std/clock.ts';
export { type Random, seededRandom } from '../std/random.ts';
export { systemClock } from './clock.ts';
export type { RaftSettings } from './config.ts';
export { defaultSettings, resolveSettings } from './config.ts';
export type { CheckpointOffer, Message } from './core/messages.ts';
export type {
  CheckpointMeta,
  Configuration,
  ConfigurationAt,
  Entry,
  HardState,
  LogIndex,
  Role,
  ServerId,
  Term,
} from './core/types.ts';
export type { RaftErrorCode } from './errors.ts';
export { RaftError, raftErrorCodes } from './errors.ts';
export type { RaftLog } from './log/log.ts';
export { openRaftLog } from './log/open.ts';
export type { LogStore, StoreKey, StoreOperation } from './log/store.ts';
export { StoredLog } from './log/stored-log.ts';
export { type RaftEdges, type RaftLogger, RaftNode, type RaftOptions } from './node.ts';
export { drawLogId } from './open.ts';
export type { MembershipChange, PeerStatus, Raft, RaftStatus, ReadMode } from './raft.ts';
export { recoverConfiguration } from './recover-configuration.ts';
export type { CheckpointFile, CheckpointReceiver, CommittedEntry, StateMachine } from './state-machine.ts';
export { GrpcTransport, type GrpcTransportOptions } from './transport/grpc.ts';
export { MemoryNetwork } from './transport/memory.ts';
export type { Transport, TransportHandlers } from './transport/transport.ts';
