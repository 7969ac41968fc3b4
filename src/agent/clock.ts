/** The system's time, for everything an agent runs. */
import { performance } from 'node:perf_hooks';
import type { Clock } from '../std/clock.ts';

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
