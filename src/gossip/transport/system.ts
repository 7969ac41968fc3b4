/** Time and chance of the real world, and the delay of this process's event loop. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../std/clock.ts';
import { type Random, seededRandom } from '../../std/random.ts';

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    // Rounded up: the system would round down, and call before the time has come.
    const timer = setTimeout(callback, Math.ceil(delayMs));
    return () => clearTimeout(timer);
  },
};

/** A seed that nobody can guess: sequence numbers and query ids follow from it. */
export function systemRandom(): Random {
  return seededRandom(randomBytes(16).toString('hex'));
}

const sampleMs = 250;
/** Delays that are not worth telling. */
const smallMs = 50;

/**
 * One sampler for all nodes of a process: a timer every 250 ms that notes how late it is. A standstill of a third of a second is always
 * seen; more often would be most of what wakes an idle client agent. Told are only delays that matter; the listener has its own
 * threshold above that.
 */
class LoopDelay {
  private readonly listeners = new Set<(delayMs: number) => void>();
  private timer: NodeJS.Timeout | undefined;
  private expectedMs = 0;

  listen(listener: (delayMs: number) => void): () => void {
    this.listeners.add(listener);
    if (this.timer === undefined) this.start();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  private start(): void {
    this.expectedMs = performance.now() + sampleMs;
    this.timer = setInterval(() => {
      const now = performance.now();
      const delayMs = now - this.expectedMs;
      this.expectedMs = now + sampleMs;
      if (delayMs > smallMs) for (const listener of this.listeners) listener(delayMs);
    }, sampleMs);
    this.timer.unref();
  }
}

const loopDelay = new LoopDelay();

export const onLoopDelay = (listener: (delayMs: number) => void): (() => void) => loopDelay.listen(listener);
