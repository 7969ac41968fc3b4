/**
 * Notices that the machine stood still. Monotonic clocks of Linux do not count the time of a suspended machine; the wall clock has
 * it afterwards. So when the wall gained on the monotonic clock, time may have passed that no lease knows of.
 *
 * A wall clock that was set forward looks the same; then a lease is given up for nothing, and its reads ask a majority once. The
 * opposite use, an election timeout that ends sooner, would be wrong: nobody may vote early because somebody set a clock.
 *
 * Not noticed: a hypervisor that stops a machine and hides it from both clocks. Reads that must be right even then are `consistent`.
 */
import type { Clock } from '../std/clock.ts';

/** Wall clocks count in whole milliseconds; two readings may be off by one each. */
const gainMsMax = 2;

export class Suspension {
  readonly #clock: Clock;
  #aheadMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#aheadMs = clock.wallMs() - clock.monotonicMs();
  }

  /** Was there one since the last look? `nowMs` is the monotonic time. Look often: what is gained slowly is not seen. */
  happened(nowMs: number): boolean {
    const aheadMs = this.#clock.wallMs() - nowMs;
    const gainedMs = aheadMs - this.#aheadMs;
    this.#aheadMs = aheadMs;
    return gainedMs > gainMsMax;
  }
}
