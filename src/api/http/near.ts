/**
 * `?near=`: the nearest first, by network coordinates (Vivaldi). Nodes without a coordinate come last; when the node asked
 * about has none, the order stays as it was.
 */
import { type Coordinate, coordinateDistance } from '../../structs/index.ts';
import { callerOf } from './reads.ts';
import type { ApiRequest } from './request.ts';
import type { RouteContext } from './routes/context.ts';

/** `near` is a node's name, or `_agent` for the node of the agent asked. The sort is stable. */
export async function sortByDistance<Row>(
  { backend }: RouteContext,
  request: ApiRequest,
  near: string,
  rows: readonly Row[],
  nodeOf: (row: Row) => string,
): Promise<readonly Row[]> {
  const options = { caller: callerOf(request), consistency: 'stale' } as const;
  const { value } = await backend.query('coordinate.nodes', { segment: '' }, options);
  const byNode = new Map(value.map(({ Node, Coord }) => [Node.toLowerCase(), Coord]));
  const from = byNode.get((near === '_agent' ? backend.nodeName : near).toLowerCase());
  if (from === undefined) return rows;
  // A node is nearest to itself, whatever the heights of its neighbours' coordinates say.
  const distances = rows.map((row) => {
    const to = byNode.get(nodeOf(row).toLowerCase());
    return to === from ? Number.NEGATIVE_INFINITY : distanceTo(from, to);
  });
  return rows
    .map((row, i) => ({ row, distance: distances[i]! }))
    .sort((a, b) => (a.distance === b.distance ? 0 : a.distance - b.distance))
    .map(({ row }) => row);
}

function distanceTo(from: Coordinate, to: Coordinate | undefined): number {
  return to === undefined ? Number.POSITIVE_INFINITY : coordinateDistance(from, to);
}
