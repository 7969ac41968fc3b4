/**
 * Calls woken waiters back, a few milliseconds at a time. Each wake runs a query and sends an answer; nine thousand in one go
 * hold the event loop for a third of a second, which is longer than an election timeout (design, decision 11).
 *
 * Part of what a wake costs runs after it, when promises settle, so a slice cannot measure itself: the next one looks at
 * how long the last took, all told, and takes fewer or more.
 */
import type { Waiter, WakeCause } from './watch-set.ts';

export interface WakeQueueOptions {
  /** How long one slice may run before the event loop gets a turn, in milliseconds. */
  readonly sliceMs?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  /** Asks for a turn after pending I/O. */
  readonly defer?: (slice: () => void) => void;
}

const sizeMin = 8;
const sizeMax = 1_024;

export class WakeQueue {
  readonly #sliceMs: number;
  readonly #now: () => number;
  readonly #defer: (slice: () => void) => void;
  #queue: { readonly waiter: Waiter; readonly cause: WakeCause }[] = [];
  #next = 0;
  #scheduled = false;
  #size = 64;
  /** When the slice before began, if it left some to this one. */
  #startedMs: number | undefined;

  constructor(options: WakeQueueOptions = {}) {
    this.#sliceMs = options.sliceMs ?? 5;
    this.#now = options.now ?? (() => performance.now());
    this.#defer = options.defer ?? ((slice) => void setImmediate(slice));
  }

  get length(): number {
    return this.#queue.length - this.#next;
  }

  push(waiters: readonly Waiter[], cause: WakeCause): void {
    if (waiters.length === 0) return;
    for (const waiter of waiters) this.#queue.push({ waiter, cause });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#defer(() => this.#slice());
  }

  #slice(): void {
    this.#scheduled = false;
    const startMs = this.#now();
    if (this.#startedMs !== undefined) this.#adapt(startMs - this.#startedMs);
    const end = Math.min(this.#queue.length, this.#next + this.#size);
    while (this.#next < end && this.#now() - startMs < this.#sliceMs) {
      const { waiter, cause } = this.#queue[this.#next++]!;
      waiter.wake(cause);
    }
    if (this.#next < this.#queue.length) {
      this.#startedMs = startMs;
      this.#schedule();
    } else {
      this.#queue = [];
      this.#next = 0;
      this.#startedMs = undefined;
    }
  }

  #adapt(tookMs: number): void {
    if (tookMs > this.#sliceMs) this.#size = Math.max(sizeMin, this.#size >> 1);
    else if (tookMs < this.#sliceMs / 2) this.#size = Math.min(sizeMax, this.#size << 1);
  }
}
