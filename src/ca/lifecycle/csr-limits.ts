/**
 * How fast the CA signs. A rotation makes every agent ask at once; the limit spreads that over time, and agents that are
 * refused keep their old leaf and come back later (leaf-renewal.ts).
 *
 * Rate: a token bucket of burst 1. Concurrency: a number of places. A request waits up to half a second for either.
 */
import type { Clock } from '../../std/clock.ts';

const csrWaitMaxMs = 500;

export class CsrRateLimit {
  readonly #intervalMs: number;
  /** When the next token is there. */
  #nextMs = Number.NEGATIVE_INFINITY;

  /** `perSecond` 0: no limit. */
  constructor(perSecond: number) {
    this.#intervalMs = perSecond > 0 ? 1_000 / perSecond : 0;
  }

  /** How long to wait before signing, ms, or null: it would be too long, and no token was taken. */
  take(nowMs: number): number | null {
    const startMs = Math.max(nowMs, this.#nextMs);
    if (startMs - nowMs > csrWaitMaxMs) return null;
    this.#nextMs = startMs + this.#intervalMs;
    return startMs - nowMs;
  }
}

export class CsrConcurrencyLimit {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** `places` 0: no limit. */
  constructor(places: number, clock: Clock) {
    this.#free = places > 0 ? places : Number.POSITIVE_INFINITY;
    this.#clock = clock;
  }

  /** True: a place is taken, and must be left. False: none came free in time. */
  enter(): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const admit = (): void => {
        cancel();
        resolve(true);
      };
      const cancel = this.#clock.after(csrWaitMaxMs, () => {
        this.#waiting.splice(this.#waiting.indexOf(admit), 1);
        resolve(false);
      });
      this.#waiting.push(admit);
    });
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
