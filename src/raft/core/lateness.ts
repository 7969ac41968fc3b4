/**
 * How late the timers of this process come: because its event loop is held, or because it does not get its CPU. A leader tells its
 * followers, which then wait longer before they take its silence for its death. A leader that dies, or is stopped, while it is well is
 * replaced as fast as ever.
 */

/** Pauses shorter than this need no allowance: an election timeout has room for them. */
const worthTellingMs = 100;
/** What is remembered of a pause fades by half in half a second of ticks: who has too much to do is late again and again. */
const keptPerTick = 0.986;

export class Lateness {
  #lastTickMs: number | undefined;
  #worstMs = 0;

  /** So many ticks have passed, after a timer that was set for `waitedMs`. */
  ticked(nowMs: number, waitedMs: number, count = 1): void {
    const lateMs = this.#lastTickMs === undefined ? 0 : nowMs - this.#lastTickMs - waitedMs;
    this.#lastTickMs = nowMs;
    this.#worstMs = Math.max(lateMs, this.#worstMs * keptPerTick ** count);
  }

  /** Worst of the last second or two, ms; 0 where it is not worth telling. */
  get ms(): number {
    return this.#worstMs < worthTellingMs ? 0 : Math.round(this.#worstMs);
  }
}
