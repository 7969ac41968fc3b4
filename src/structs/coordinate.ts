/** Network coordinates (Vivaldi): where nodes stand in a space whose distances are round-trip times. */
import { float, type Infer, list, nullable, record, string } from './schema/index.ts';

const coordinate = record('Coordinate', {
  /** Eight dimensions, in seconds. */
  Vec: list(float(), '[]'),
  /** Confidence, 0 (sure) to 1.5. */
  Error: float(),
  /** Seconds. */
  Adjustment: float(),
  /** The access link's share, in seconds. */
  Height: float(),
});
export type Coordinate = Infer<typeof coordinate>;

export const nodeCoordinate = record('Coordinate', { Node: string(), Segment: string(), Coord: coordinate });
export type NodeCoordinate = Infer<typeof nodeCoordinate>;

/** Body of `/v1/coordinate/update`. */
export const coordinateUpdate = record('CoordinateUpdateRequest', {
  Datacenter: string(),
  Node: string(),
  Segment: string(),
  Coord: nullable(coordinate),
});

/** The servers of one datacenter in the coordinate space between datacenters. */
export const datacenterCoordinates = record('DatacenterMap', {
  Datacenter: string(),
  AreaID: string(),
  Coordinates: list(nodeCoordinate, '[]'),
});
export type DatacenterCoordinates = Infer<typeof datacenterCoordinates>;

export const coordinateDimensions = 8;

/** Estimated round-trip time in seconds. Adjustments count only while the sum stays positive. */
export function coordinateDistance(a: Coordinate, b: Coordinate): number {
  const left = a.Vec ?? [];
  const right = b.Vec ?? [];
  let squares = 0;
  for (let i = 0; i < left.length; i++) squares += (left[i]! - (right[i] ?? 0)) ** 2;
  const distance = Math.sqrt(squares) + a.Height + b.Height;
  const adjusted = distance + a.Adjustment + b.Adjustment;
  return adjusted > 0 ? adjusted : distance;
}
