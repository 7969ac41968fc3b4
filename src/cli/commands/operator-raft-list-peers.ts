import { type Command, CommandFailure } from '../command.ts';
import { table } from '../output.ts';

interface RaftServer {
  readonly ID: string;
  readonly Node: string;
  readonly Address: string;
  readonly Leader: boolean;
  readonly ProtocolVersion: string;
  readonly Voter: boolean;
  readonly LastIndex?: number;
}

export const operatorRaftListPeers: Command = {
  usage: '[options]',
  description: 'Shows the servers of the Raft cluster, who leads, and how far each is behind.',
  groups: ['client', 'server'],
  flags: [],
  async run({ client, io }) {
    let servers: readonly RaftServer[];
    try {
      ({ Servers: servers } = await client.json<{ Servers: readonly RaftServer[] }>(
        'GET',
        '/v1/operator/raft/configuration',
      ));
    } catch (error) {
      throw new CommandFailure(
        `Error getting peers: Failed to retrieve raft configuration: ${(error as Error).message}`,
      );
    }
    const leaderIndex = servers.find((server) => server.Leader)?.LastIndex;
    const trail = (server: RaftServer): string => {
      if (server.Leader || leaderIndex === undefined || server.LastIndex === undefined) return '-';
      const commits = leaderIndex - server.LastIndex;
      return `${commits} commit${commits === 1 ? '' : 's'}`;
    };
    const rows = servers.map((server) => [
      server.Node,
      server.ID,
      server.Address,
      server.Leader ? 'leader' : 'follower',
      String(server.Voter),
      server.ProtocolVersion,
      server.LastIndex === undefined ? '-' : String(server.LastIndex),
      trail(server),
    ]);
    io.out(
      table([['Node', 'ID', 'Address', 'State', 'Voter', 'RaftProtocol', 'Commit Index', 'Trails Leader By'], ...rows]),
    );
    return 0;
  },
};
