import { type Command, CommandFailure } from '../command.ts';
import { parseBool } from '../flags.ts';
import type { AutopilotConfiguration } from './operator-autopilot-get-config.ts';

const booleans = { 'cleanup-dead-servers': 'CleanupDeadServers' } as const;
const numbers = { 'max-trailing-logs': 'MaxTrailingLogs', 'min-quorum': 'MinQuorum' } as const;
const durations = {
  'last-contact-threshold': 'LastContactThreshold',
  'server-stabilization-time': 'ServerStabilizationTime',
} as const;

const unsigned = (text: string): string | null =>
  /^\d+$/.test(text) ? null : `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;

export const operatorAutopilotSetConfig: Command = {
  usage: '[options]',
  description: `Changes the configuration of autopilot; what is not given stays as it is.

    $ heddle operator autopilot set-config -max-trailing-logs=500 -cleanup-dead-servers=false`,
  groups: ['client', 'server'],
  flags: [
    {
      name: 'cleanup-dead-servers',
      type: 'string',
      placeholder: 'true|false',
      help: 'Controls whether dead servers are removed when a new server joins the cluster.',
    },
    {
      name: 'last-contact-threshold',
      type: 'duration',
      placeholder: '200ms',
      help: 'Controls the maximum amount of time a server can go without contact from the leader before being considered unhealthy.',
    },
    {
      name: 'max-trailing-logs',
      type: 'uint',
      placeholder: 'value',
      check: unsigned,
      help: 'Controls the maximum number of log entries that a server can trail the leader by before being considered unhealthy.',
    },
    {
      name: 'min-quorum',
      type: 'uint',
      placeholder: 'value',
      check: unsigned,
      help: 'Sets the minimum number of servers required in a cluster before autopilot is allowed to prune dead servers.',
    },
    {
      name: 'server-stabilization-time',
      type: 'duration',
      placeholder: '10s',
      help: "Controls the minimum amount of time a server must be in the 'healthy' state before being added to the cluster.",
    },
  ],
  async run({ flags, client, io }) {
    const changes: Record<string, unknown> = {};
    for (const [flag, key] of Object.entries(booleans)) {
      if (!flags.given(flag)) continue;
      const value = parseBool(flags.string(flag));
      if (value === undefined)
        throw new CommandFailure(
          `Failed to parse args: invalid boolean value ${JSON.stringify(flags.string(flag))} for -${flag}`,
        );
      changes[key] = value;
    }
    for (const [flag, key] of Object.entries(numbers)) if (flags.given(flag)) changes[key] = flags.number(flag);
    for (const [flag, key] of Object.entries(durations)) if (flags.given(flag)) changes[key] = flags.string(flag);
    let applied: boolean;
    try {
      const before = await client.json<AutopilotConfiguration>('GET', '/v1/operator/autopilot/configuration');
      const body = JSON.stringify({ ...before, ...changes });
      applied = await client.json<boolean>('PUT', '/v1/operator/autopilot/configuration', {
        query: { cas: String(before.ModifyIndex) },
        body,
      });
    } catch (error) {
      throw new CommandFailure(`Error setting Autopilot configuration: ${(error as Error).message}`);
    }
    if (!applied) throw new CommandFailure('Configuration could not be atomically updated, please try again');
    io.out('Configuration updated!');
    return 0;
  },
};
