/** The system's time and chance, for production; tests hand in their own. */
import type { Clock } from '../std/clock.ts';

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A float in [0, 1): jitter and load balancing need chance, not secrecy. */
export type Chance = () => number;
