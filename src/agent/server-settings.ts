/** What an agent's configuration says to the Raft and the autopilot of its server. */
import type { RaftSettings } from '../raft/index.ts';
import type { ClusterInput } from './cluster.ts';
import type { ServerOptions } from './server/index.ts';

/** Checkpoints as configured, where it says so: our log is another one, and has defaults of its own. */
export function raftSettings({ config }: ClusterInput): Partial<RaftSettings> {
  const { settings, given } = config;
  return {
    ...(given.has('raft_snapshot_threshold') ? { checkpointEntries: settings.raft_snapshot_threshold } : {}),
    ...(given.has('raft_trailing_logs') ? { trailingEntries: settings.raft_trailing_logs } : {}),
  };
}

/** Seeds the stored configuration of a new cluster; afterwards that belongs to the operators. */
export function autopilotSeed({ config }: ClusterInput): ServerOptions['autopilot'] & object {
  const { autopilot } = config.settings;
  return {
    CleanupDeadServers: autopilot.cleanup_dead_servers,
    LastContactThreshold: autopilot.last_contact_threshold,
    MaxTrailingLogs: autopilot.max_trailing_logs,
    MinQuorum: autopilot.min_quorum,
    ServerStabilizationTime: autopilot.server_stabilization_time,
    RedundancyZoneTag: autopilot.redundancy_zone_tag,
    DisableUpgradeMigration: autopilot.disable_upgrade_migration,
    UpgradeVersionTag: autopilot.upgrade_version_tag,
  };
}
