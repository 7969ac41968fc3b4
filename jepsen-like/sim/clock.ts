/**
 * The clocks of one server. They run at its own rate; the wall clock can be set; both belong to a machine that can be suspended, of
 * which only the wall clock knows afterwards (as on Linux, where CLOCK_MONOTONIC does not count it).
 */
import type { Clock } from '../../src/std/clock.ts';

export interface ClockEdges {
  /** True time. */
  nowMs(): number;
  later(delayMs: number, callback: () => void): () => void;
}

/** A timer that is early by less is due: the sum of many floats. */
const roundingMs = 1e-6;

export class SimClock {
  readonly #rate: number;
  readonly #edges: ClockEdges;
  /** How far the wall clock was set, in all. */
  #setMs = 0;
  /** True time for which the monotonic clock stood. */
  #stoodMs = 0;
  #standsSinceMs: number | undefined;

  constructor(rate: number, edges: ClockEdges) {
    this.#rate = rate;
    this.#edges = edges;
  }

  setWall(byMs: number): void {
    this.#setMs += byMs;
  }

  suspend(): void {
    this.#standsSinceMs ??= this.#edges.nowMs();
  }

  /** True if it had stood. */
  resume(): boolean {
    if (this.#standsSinceMs === undefined) return false;
    this.#stoodMs += this.#edges.nowMs() - this.#standsSinceMs;
    this.#standsSinceMs = undefined;
    return true;
  }

  /** What a process sees that starts now. */
  open(): Clock {
    const startMs = this.#edges.nowMs() - this.#stoodMs;
    const monotonicMs = (): number =>
      ((this.#standsSinceMs ?? this.#edges.nowMs()) - this.#stoodMs - startMs) * this.#rate;
    return {
      monotonicMs,
      wallMs: () => Math.floor(this.#edges.nowMs() * this.#rate + this.#setMs),
      after: (delayMs, callback) => this.#after(monotonicMs, delayMs, callback),
    };
  }

  /** Due when the monotonic clock says so: a suspended machine's timers wait as much longer. */
  #after(monotonicMs: () => number, delayMs: number, callback: () => void): () => void {
    const dueMs = monotonicMs() + delayMs;
    let cancelled = false;
    let cancelTimer = (): void => {};
    const arm = (leftMs: number): void => {
      cancelTimer = this.#edges.later(leftMs / this.#rate, () => {
        const stillMs = dueMs - monotonicMs();
        if (cancelled) return;
        if (stillMs > roundingMs) arm(stillMs);
        else callback();
      });
    };
    arm(delayMs);
    return () => {
      cancelled = true;
      cancelTimer();
    };
  }
}
