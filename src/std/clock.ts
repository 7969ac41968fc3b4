/**
 * Time as a dependency. Drivers take a Clock; production gives them the system's, a simulation gives them a virtual one.
 * Pure cores take neither: they get `nowMs` or ticks as arguments.
 */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. For timeouts and leases. */
  monotonicMs(): number;
  /** Milliseconds since 1970 UTC; may jump. For timestamps that people read, never for ordering. */
  wallMs(): number;
  /** Calls back once after `delayMs`. The returned function cancels; cancelling twice is harmless. */
  after(delayMs: number, callback: () => void): () => void;
}
