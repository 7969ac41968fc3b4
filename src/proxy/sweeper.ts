/**
 * One slow timer for all connections, instead of work on every packet: it reads each connection's byte counts, which the
 * sockets keep anyway, adds them to the counters, and closes those that carried nothing for too long.
 */
import type { Clock } from '../std/clock.ts';

export interface Watched {
  /** Brings the counters up to date. */
  readonly progress: () => void;
  readonly totalBytes: () => number;
  /** 0 = never. */
  readonly idleTimeoutMs: () => number;
  readonly close: () => void;
}

/** How exact counters and idle limits are while a connection is open. */
export const sweepMs = 1_000;

export class Sweeper {
  readonly #clock: Clock;
  readonly #watched = new Map<Watched, { bytes: number; sinceMs: number }>();
  #cancel: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the way to stop watching. The timer runs only while there is something to watch. */
  watch(connection: Watched): () => void {
    this.#watched.set(connection, { bytes: -1, sinceMs: this.#clock.monotonicMs() });
    this.#plan();
    return () => {
      this.#watched.delete(connection);
      if (this.#watched.size === 0) {
        this.#cancel?.();
        this.#cancel = null;
      }
    };
  }

  #plan(): void {
    this.#cancel ??= this.#clock.after(sweepMs, () => {
      this.#cancel = null;
      this.#sweep();
      if (this.#watched.size > 0) this.#plan();
    });
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [connection, seen] of [...this.#watched]) {
      connection.progress();
      const bytes = connection.totalBytes();
      if (bytes !== seen.bytes) {
        seen.bytes = bytes;
        seen.sinceMs = nowMs;
        continue;
      }
      const limit = connection.idleTimeoutMs();
      if (limit > 0 && nowMs - seen.sinceMs >= limit) connection.close();
    }
  }
}
