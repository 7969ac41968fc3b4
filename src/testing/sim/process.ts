/**
 * The life of a simulated process: what it planned for later happens in this life or not at all, and waits while it is paused
 * (SIGSTOP), as do messages that arrive meanwhile.
 */
import type { VirtualTime } from './virtual-time.ts';

export class SimProcess {
  readonly #time: VirtualTime;
  #life = 0;
  #paused = false;
  #deferred: (() => void)[] = [];

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** A predicate that holds until this life ends. */
  alive(): () => boolean {
    const life = this.#life;
    return () => life === this.#life;
  }

  /** Runs `work` now, or when the pause ends; never in another life. */
  run(work: () => void): void {
    const alive = this.alive();
    const attempt = (): void => {
      if (!alive()) return;
      if (this.#paused) this.#deferred.push(attempt);
      else work();
    };
    attempt();
  }

  /** Returns a cancel. */
  later(delayMs: number, work: () => void): () => void {
    const alive = this.alive();
    return this.#time.schedule(delayMs, () => {
      if (alive()) this.run(work);
    });
  }

  /** Ends this life; the next begins at once. */
  end(): void {
    this.#life++;
    this.#paused = false;
    this.#deferred = [];
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const attempt of deferred) this.#time.schedule(0, attempt);
  }
}
