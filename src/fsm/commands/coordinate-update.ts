/** Stores what nodes said of their network coordinates: a batch that the leader collected. Nodes that are gone are skipped. */
import type { NodeCoordinate } from '../../structs/index.ts';
import { command } from '../contract.ts';

export interface CoordinateUpdate {
  readonly Updates: readonly NodeCoordinate[];
}

export const coordinateUpdate = command<CoordinateUpdate, boolean>({
  name: 'coordinate.update',
  version: 1,
  internal: true,
  apply(tx, { Updates }) {
    for (const update of Updates) {
      if (tx.table('nodes').get([update.Node]) === undefined) continue;
      tx.table('coordinates').put([update.Node, update.Segment], update);
    }
    return true;
  },
});
