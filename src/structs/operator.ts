/** What operators set for the whole cluster. */
import { bool, duration, type Infer, index, int, list, map, record, string } from './schema/index.ts';

export const autopilotConfiguration = record('AutopilotConfiguration', {
  CleanupDeadServers: bool(),
  /** Nanoseconds. */
  LastContactThreshold: duration(),
  MaxTrailingLogs: int(),
  MinQuorum: int(),
  /** Nanoseconds. */
  ServerStabilizationTime: duration(),
  RedundancyZoneTag: string(),
  DisableUpgradeMigration: bool(),
  UpgradeVersionTag: string(),
  CreateIndex: index(),
  ModifyIndex: index(),
});
export type AutopilotConfiguration = Infer<typeof autopilotConfiguration>;

/** Who takes part in Raft, as `/v1/operator/raft/configuration` shows it. */
export const raftConfiguration = record('RaftConfiguration', {
  Servers: list(
    record('RaftServer', {
      ID: string(),
      /** Name of the node; `(unknown)` for a server that gossip does not know. */
      Node: string(),
      /** `ip:port` of its RPC door. */
      Address: string(),
      Leader: bool(),
      /** `3`; `unknown` for a server that gossip does not know. */
      ProtocolVersion: string(),
      Voter: bool(),
      /** Up to where its log is known to hold the leader's. */
      LastIndex: index(),
    }),
  ),
  Index: index(),
});
export type RaftConfiguration = Infer<typeof raftConfiguration>;

/** What the leader knows of the servers' health. */
export const autopilotHealth = record('OperatorHealthReply', {
  Healthy: bool(),
  /** How many voters may be lost before the cluster stops. */
  FailureTolerance: int(),
  Servers: list(
    record('ServerHealth', {
      ID: string(),
      Name: string(),
      Address: string(),
      /** alive, failed, left or none. */
      SerfStatus: string(),
      Version: string(),
      Leader: bool(),
      LastContact: duration(),
      LastTerm: index(),
      LastIndex: index(),
      Healthy: bool(),
      Voter: bool(),
      /** RFC 3339 in whole seconds, UTC. */
      StableSince: string(),
    }),
  ),
});
export type AutopilotHealth = Infer<typeof autopilotHealth>;

export const autopilotState = record('AutopilotState', {
  Healthy: bool(),
  FailureTolerance: int(),
  OptimisticFailureTolerance: int(),
  /** By id. */
  Servers: map(
    record('AutopilotServer', {
      ID: string(),
      Name: string(),
      Address: string(),
      /** unknown, alive, failed or left. */
      NodeStatus: string(),
      Version: string(),
      LastContact: duration(),
      LastTerm: index(),
      LastIndex: index(),
      Healthy: bool(),
      /** RFC 3339 with nanoseconds, UTC. */
      StableSince: string(),
      ReadReplica: bool(),
      /** none, leader, voter, non-voter or staging. */
      Status: string(),
      Meta: map(string(), '{}'),
      NodeType: string(),
    }),
    '{}',
  ),
  /** Id of the leader. */
  Leader: string(),
  Voters: list(string(), '[]'),
});
export type AutopilotState = Infer<typeof autopilotState>;
