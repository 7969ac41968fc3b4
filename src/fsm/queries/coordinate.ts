/** Reads of network coordinates. Both report the index of the coordinates table. */
import type { NodeCoordinate } from '../../structs/index.ts';
import { query } from '../contract.ts';

export interface CoordinateSelection {
  /** Undefined: all segments. */
  readonly segment?: string;
}

/** By node. */
export const coordinateNodes = query<CoordinateSelection, readonly NodeCoordinate[]>({
  name: 'coordinate.nodes',
  run(tx, { segment }) {
    const index = tx.table('coordinates').index();
    const all = tx.memo('coordinates', index, (view) => [...view.table('coordinates').range([])]);
    return { index, value: segment === undefined ? all : all.filter((row) => row.Segment === segment) };
  },
});

export const coordinateNode = query<CoordinateSelection & { readonly node: string }, readonly NodeCoordinate[]>({
  name: 'coordinate.node',
  run(tx, { node, segment }) {
    const rows = [...tx.table('coordinates').range([node])];
    const value = segment === undefined ? rows : rows.filter((row) => row.Segment === segment);
    return { index: tx.unwatched.table('coordinates').index(), value };
  },
});
