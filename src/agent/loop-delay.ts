/**
 * How long the event loop was held, as an operator sees it: `runtime.event_loop_delay_ms`, a sample every five seconds of the longest
 * time in them. Measured by a timer of the runtime's own, which costs no JavaScript; but it wakes the process, and a hundred times a
 * second that is a third of what an idle server costs. So after five seconds with little to do it looks less often, until there is
 * work again: what holds the loop once in a while is then seen from a tenth of a second on, and what holds it again and again as ever.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

/** How finely is looked, ms: with work to do, and at rest. The runtime's figures contain it. */
const workResolution = 10;
const restResolution = 100;
/** Share of the time that the loop was active. A server at rest is at 0.01. */
const workShare = 0.05;
const sampleMs = 5_000;

/** The share since the last call. */
function loopShare(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

/** Returns how to stop. */
export function sampleLoopDelay(metrics: Metrics, share: () => number = loopShare()): () => void {
  let resolution = workResolution;
  let delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  const timer = setInterval(() => {
    metrics.sample('runtime.event_loop_delay_ms', Math.max(0, delay.max / 1e6 - resolution));
    const wanted = share() >= workShare ? workResolution : restResolution;
    if (wanted === resolution) return delay.reset();
    delay.disable();
    resolution = wanted;
    delay = monitorEventLoopDelay({ resolution });
    delay.enable();
  }, sampleMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
