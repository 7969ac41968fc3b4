/**
 * How long the event loop was held, as an operator sees it: `runtime.event_loop_delay_ms`, a sample every five seconds of the longest
 * time in them. Measured by a timer of the runtime's own, which costs no JavaScript.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

/** How finely is looked, ms. The runtime's figures contain it. */
const resolution = 10;
const sampleMs = 5_000;

/** Returns how to stop. */
export function sampleLoopDelay(metrics: Metrics): () => void {
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  const timer = setInterval(() => {
    metrics.sample('runtime.event_loop_delay_ms', Math.max(0, delay.max / 1e6 - resolution));
    delay.reset();
  }, sampleMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
