/** What operators set for the whole cluster. */
import { bool, duration, type Infer, index, int, record, string } from './schema.ts';

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
