import { type Command, CommandFailure } from '../command.ts';

interface Coordinate {
  readonly Vec: readonly number[];
  readonly Adjustment: number;
  readonly Height: number;
}
interface Entry {
  readonly Node: string;
  readonly Coord: Coordinate;
}

export const rtt: Command = {
  usage: '[options] node1 [node2]',
  description: `Estimates the round-trip time between two nodes from their network coordinates, without sending a packet. The second
node is by default the agent's own.

    $ heddle rtt n1 n2

    $ heddle rtt -wan n1.dc1 n2.dc2`,
  groups: ['client'],
  flags: [{ name: 'wan', type: 'bool', help: 'Use WAN coordinates instead of LAN coordinates.' }],
  async run({ args, flags, client, io, help }) {
    if (args.length < 1 || args.length > 2) {
      io.error(`One or two node names must be specified\n\n${help}`);
      return 1;
    }
    const first = args[0]!;
    const wan = flags.bool('wan');
    try {
      const second = args[1] ?? (await ownName(client, wan));
      if (wan && (!first.includes('.') || !second.includes('.'))) {
        throw new CommandFailure('Node names must be specified as <node name>.<datacenter> with -wan');
      }
      const known = wan ? await wanCoordinates(client) : await client.json<Entry[]>('GET', '/v1/coordinate/nodes');
      const find = (name: string): Coordinate => {
        const entry = known.find(({ Node }) => Node === name);
        if (entry === undefined)
          throw new CommandFailure(`Could not find a coordinate for node ${JSON.stringify(name)}`);
        return entry.Coord;
      };
      const ms = distance(find(first), find(second)) * 1000;
      io.out(`Estimated ${first} <-> ${second} rtt: ${ms.toFixed(3)} ms (using ${wan ? 'WAN' : 'LAN'} coordinates)`);
      return 0;
    } catch (error) {
      if (error instanceof CommandFailure) throw error;
      throw new CommandFailure(`Error getting coordinates: ${(error as Error).message}`);
    }
  },
};

async function ownName(client: Parameters<Command['run']>[0]['client'], wan: boolean): Promise<string> {
  const { Config } = await client.json<{ Config: { NodeName: string; Datacenter: string } }>('GET', '/v1/agent/self');
  return wan ? `${Config.NodeName}.${Config.Datacenter}` : Config.NodeName;
}

async function wanCoordinates(client: Parameters<Command['run']>[0]['client']): Promise<Entry[]> {
  const areas = await client.json<{ Datacenter: string; Coordinates: Entry[] }[]>('GET', '/v1/coordinate/datacenters');
  return areas.flatMap(({ Datacenter, Coordinates }) =>
    Coordinates.map((entry) => ({ ...entry, Node: `${entry.Node}.${Datacenter}` })),
  );
}

/** Seconds. Dabek et al., "Vivaldi"; the adjustment counts only while the sum stays positive. */
function distance(a: Coordinate, b: Coordinate): number {
  const squares = a.Vec.map((value, i) => (value - (b.Vec[i] ?? 0)) ** 2);
  const plain = Math.sqrt(squares.reduce((sum, value) => sum + value, 0)) + a.Height + b.Height;
  const adjusted = plain + a.Adjustment + b.Adjustment;
  return adjusted > 0 ? adjusted : plain;
}
