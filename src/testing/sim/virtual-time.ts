/**
 * Virtual time: one heap orders every delivery, timer and disk completion by (time, a tie drawn from the seed). Nothing in the
 * simulated world waits for real time, so an hour passes as fast as its events can be computed.
 */
import type { Random } from '../../std/random.ts';

interface Scheduled {
  readonly atMs: number;
  readonly tie: number;
  readonly sequence: number;
  callback: (() => void) | undefined;
}

export class VirtualTime {
  #nowMs = 0;
  #heap: Scheduled[] = [];
  #sequence = 0;
  readonly #ties: Random;

  constructor(random: Random) {
    this.#ties = random.stream('ties');
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const event: Scheduled = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      tie: this.#ties.next(),
      sequence: this.#sequence++,
      callback,
    };
    this.#push(event);
    return () => {
      event.callback = undefined;
    };
  }

  /** Runs the next event, if it is not later than `untilMs`. False: there is none. */
  runNext(untilMs: number): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) return false;
      this.#pop();
      if (next.callback === undefined) continue;
      this.#nowMs = next.atMs;
      next.callback();
      return true;
    }
  }

  /** Lets time pass in which nothing is due. Never backwards. */
  moveTo(atMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  #push(event: Scheduled): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Scheduled, b: Scheduled): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs;
  return a.tie !== b.tie ? a.tie < b.tie : a.sequence < b.sequence;
}

/** Lets every promise that can go on go on, and those that wait for it, before the next event. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
