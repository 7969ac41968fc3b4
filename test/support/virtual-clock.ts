/** A clock that a test moves. Timers run in the order of their time, then of their planting. */
import type { Clock } from '../../src/std/clock.ts';

export class VirtualClock implements Clock {
  #nowMs: number;
  #planted = 0;
  readonly #timers = new Map<number, { readonly atMs: number; readonly callback: () => void }>();

  constructor(startMs = Date.parse('2026-11-23T07:18:59Z')) {
    this.#nowMs = startMs;
  }
  monotonicMs(): number {
    return this.#nowMs;
  }
  wallMs(): number {
    return this.#nowMs;
  }
  after(delayMs: number, callback: () => void): () => void {
    const id = this.#planted++;
    this.#timers.set(id, { atMs: this.#nowMs + Math.max(delayMs, 0), callback });
    return () => void this.#timers.delete(id);
  }
  /** Timers that wait, as delays from now, sorted. */
  get pendingMs(): number[] {
    return [...this.#timers.values()].map(({ atMs }) => atMs - this.#nowMs).sort((a, b) => a - b);
  }
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const [next] = [...this.#timers]
        .filter(([, { atMs }]) => atMs <= endMs)
        .sort(([a, x], [b, y]) => x.atMs - y.atMs || a - b);
      if (next === undefined) break;
      this.#timers.delete(next[0]);
      this.#nowMs = Math.max(this.#nowMs, next[1].atMs);
      next[1].callback();
    }
    this.#nowMs = endMs;
  }
}
