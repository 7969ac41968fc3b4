import { type Command, CommandFailure } from '../command.ts';

export interface AutopilotConfiguration {
  readonly CleanupDeadServers: boolean;
  readonly LastContactThreshold: string;
  readonly MaxTrailingLogs: number;
  readonly MinQuorum: number;
  readonly ServerStabilizationTime: string;
  readonly RedundancyZoneTag: string;
  readonly DisableUpgradeMigration: boolean;
  readonly UpgradeVersionTag: string;
  readonly ModifyIndex: number;
}

export const operatorAutopilotGetConfig: Command = {
  usage: '[options]',
  description: 'Shows the configuration of autopilot, which keeps the set of Raft servers healthy.',
  groups: ['client', 'server'],
  flags: [],
  async run({ client, io }) {
    let config: AutopilotConfiguration;
    try {
      config = await client.json('GET', '/v1/operator/autopilot/configuration');
    } catch (error) {
      throw new CommandFailure(`Error querying Autopilot configuration: ${(error as Error).message}`);
    }
    io.out(
      [
        `CleanupDeadServers = ${config.CleanupDeadServers}`,
        `LastContactThreshold = ${config.LastContactThreshold}`,
        `MaxTrailingLogs = ${config.MaxTrailingLogs}`,
        `MinQuorum = ${config.MinQuorum}`,
        `ServerStabilizationTime = ${config.ServerStabilizationTime}`,
        `RedundancyZoneTag = ${JSON.stringify(config.RedundancyZoneTag)}`,
        `DisableUpgradeMigration = ${config.DisableUpgradeMigration}`,
        `UpgradeVersionTag = ${JSON.stringify(config.UpgradeVersionTag)}`,
      ].join('\n'),
    );
    return 0;
  },
};
