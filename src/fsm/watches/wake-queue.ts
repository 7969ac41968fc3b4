/**
 * Calls woken waiters back, a few milliseconds at a time. Each wake may run a query and send an answer; nine thousand in
 * one go hold the event loop for a third of a second, which is longer than an election timeout (design, decision 11).
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

export class WakeQueue {
  readonly #sliceMs: number;
  readonly #now: () => number;
  readonly #defer: (slice: () => void) => void;
  #queue: { readonly waiter: Waiter; readonly cause: WakeCause }[] = [];
  #next = 0;
  #scheduled = false;

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
    const end = this.#now() + this.#sliceMs;
    while (this.#next < this.#queue.length) {
      const { waiter, cause } = this.#queue[this.#next++]!;
      waiter.wake(cause);
      if (this.#now() >= end) break;
    }
    if (this.#next < this.#queue.length) {
      this.#schedule();
    } else {
      this.#queue = [];
      this.#next = 0;
    }
  }
}
