/** A position in the latency space (Vivaldi): distances between two are round-trip estimates, in seconds. */
export interface Coordinate {
  readonly Vec: readonly number[];
  /** Confidence, 0 (sure) to 1.5. */
  readonly Error: number;
  /** Correction for what the space cannot show, in seconds. */
  readonly Adjustment: number;
  /** The access link's share, in seconds; at least 10 µs. */
  readonly Height: number;
}
