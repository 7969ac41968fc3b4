import { type Command, CommandFailure } from '../command.ts';

interface ServerState {
  readonly Name: string;
  readonly Address: string;
  readonly Version: string;
  readonly Status: string;
  readonly NodeType: string;
  readonly NodeStatus: string;
  readonly Healthy: boolean;
  readonly LastContact: string;
  readonly LastTerm: number;
  readonly LastIndex: number;
  readonly Meta: Readonly<Record<string, string>> | null;
}

interface State {
  readonly Healthy: boolean;
  readonly FailureTolerance: number;
  readonly OptimisticFailureTolerance: number;
  readonly Leader: string;
  readonly Voters: readonly string[];
  readonly Servers: Readonly<Record<string, ServerState>>;
}

export const operatorAutopilotState: Command = {
  usage: '[options]',
  description: 'Shows how healthy the servers are, and how many failures the cluster can still bear.',
  groups: ['client', 'server'],
  flags: [{ name: 'format', type: 'string', default: 'pretty', help: 'Output format: pretty or json.' }],
  async run({ flags, client, io }) {
    const format = flags.string('format');
    if (format !== 'pretty' && format !== 'json') throw new CommandFailure(`Unknown format: ${format}`);
    let state: State;
    try {
      state = await client.json('GET', '/v1/operator/autopilot/state');
    } catch (error) {
      throw new CommandFailure(`Error querying Autopilot state: ${(error as Error).message}`);
    }
    io.out(format === 'json' ? JSON.stringify(state, null, 4) : pretty(state));
    return 0;
  },
};

function pretty(state: State): string {
  const lines = [
    `Healthy:                      ${state.Healthy}`,
    `Failure Tolerance:            ${state.FailureTolerance}`,
    `Optimistic Failure Tolerance: ${state.OptimisticFailureTolerance}`,
    `Leader:                       ${state.Leader}`,
    'Voters:',
    ...state.Voters.map((id) => `   ${id}`),
    'Servers:',
  ];
  for (const [id, server] of Object.entries(state.Servers).sort()) {
    const facts: [string, unknown][] = [
      ['Name:', server.Name],
      ['Address:', server.Address],
      ['Version:', server.Version],
      ['Status:', server.Status],
      ['Node Type:', server.NodeType],
      ['Node Status:', server.NodeStatus],
      ['Healthy:', server.Healthy],
      ['Last Contact:', server.LastContact],
      ['Last Term:', server.LastTerm],
      ['Last Index:', server.LastIndex],
    ];
    lines.push(`   ${id}`, ...facts.map(([label, value]) => `      ${label.padEnd(17)}${value}`));
    const meta = Object.entries(server.Meta ?? {}).sort();
    if (meta.length > 0)
      lines.push(
        '      Meta',
        ...meta.map(([key, value]) => `         ${JSON.stringify(key)}: ${JSON.stringify(value)}`),
      );
  }
  return `${lines.join('\n')}\n`;
}
