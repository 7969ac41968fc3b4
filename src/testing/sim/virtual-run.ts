/**
 * Lets virtual time pass for whoever waits for something: each wish says when it is fulfilled and until when it waits, and time
 * moves, event by event, only while there are wishes. So a test reads like one on real time and never waits for it.
 */
import { settle, type VirtualTime } from './virtual-time.ts';

interface Wish {
  readonly fulfilled: () => boolean;
  readonly untilMs: number;
  readonly resolve: (fulfilled: boolean) => void;
  readonly reject: (reason: unknown) => void;
}

export class VirtualRun {
  readonly #time: VirtualTime;
  readonly #wishes = new Set<Wish>();
  #running = false;
  #failure: Error | undefined;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** Resolves with true as soon as `fulfilled()` holds, with false when `forMs` have passed in vain. Looked at after each event. */
  until(fulfilled: () => boolean, forMs: number): Promise<boolean> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#wishes.add({ fulfilled, untilMs: this.#time.nowMs + forMs, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  /** Nothing can be trusted any more: rejects whoever waits, now and later. */
  fail(reason: unknown): void {
    this.#failure ??= reason instanceof Error ? reason : new Error(String(reason));
    for (const wish of this.#wishes) wish.reject(this.#failure);
    this.#wishes.clear();
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      for (;;) {
        await settle();
        this.#end((wish) => wish.fulfilled(), true);
        if (this.#wishes.size === 0) return;
        const untilMs = Math.min(...[...this.#wishes].map((wish) => wish.untilMs));
        if (this.#time.runNext(untilMs)) continue;
        this.#time.moveTo(untilMs);
        this.#end((wish) => wish.untilMs <= untilMs, false);
        if (this.#wishes.size === 0) return;
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#running = false;
    }
  }

  #end(which: (wish: Wish) => boolean, fulfilled: boolean): void {
    for (const wish of [...this.#wishes]) {
      if (!which(wish)) continue;
      this.#wishes.delete(wish);
      wish.resolve(fulfilled);
    }
  }
}
