/**
 * The ticks of a server, without waking for each of them. The core says for how many ticks it may rest; the timer is set for all of
 * them together. An input in between has those that passed counted before it, so the core sees the same counts as with a tick every
 * `tickMs`, and may then want its next tick sooner, or later.
 *
 * A timer that comes late tells of a pause of this process, which must not be taken for the silence of others: the time by which it was
 * late is not counted, and never so that less than one tick is. So after a pause, however long, as few ticks count as if there had been
 * one for each turn of the event loop.
 */
import type { Clock } from '../std/clock.ts';

export interface TicksParts {
  readonly clock: Clock;
  readonly tickMs: number;
  /** For how many ticks may the core rest from its last one on? At least 1. */
  rest(): number;
  /** So many ticks have passed; the timer for them was set for `waitedMs`. Called within an input. */
  tick(count: number, waitedMs: number): void;
  /** Runs what it is given as an input of its own. */
  input(callback: () => void): void;
}

export class Ticks {
  readonly #parts: TicksParts;
  /** When the last tick that is counted was, and how many ticks from then on the timer is set for. */
  #atMs = 0;
  #planned = 0;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(parts: TicksParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#atMs = this.#parts.clock.monotonicMs();
    this.#plan(this.#parts.rest());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** At the beginning of an input: what passed since the last tick counts before it. */
  countPassed(): void {
    if (this.#planned <= 1) return;
    const { clock, tickMs, tick } = this.#parts;
    const passed = Math.floor((clock.monotonicMs() - this.#atMs) / tickMs);
    // All that it is set for, or more: that is for the timer, which knows whether it is late.
    if (passed < 1 || passed >= this.#planned) return;
    this.#atMs += passed * tickMs;
    this.#planned -= passed;
    tick(passed, passed * tickMs);
  }

  /** At the end of an input: is the next tick wanted at another time? */
  replan(): void {
    if (this.#planned === 0 || this.#stopped) return;
    const rest = this.#parts.rest();
    if (rest !== this.#planned) this.#plan(rest);
  }

  #plan(ticks: number): void {
    const { clock, tickMs } = this.#parts;
    this.#cancel?.();
    this.#planned = ticks;
    const dueMs = this.#atMs + ticks * tickMs;
    this.#cancel = clock.after(Math.max(0, Math.ceil(dueMs - clock.monotonicMs())), () => this.#fire(dueMs));
  }

  #fire(dueMs: number): void {
    const { clock, tickMs, tick, input } = this.#parts;
    const nowMs = clock.monotonicMs();
    const planned = this.#planned;
    const lateTicks = Math.max(0, Math.floor((nowMs - dueMs) / tickMs));
    this.#atMs = nowMs;
    this.#planned = 0;
    this.#cancel = undefined;
    input(() => tick(Math.max(1, planned - lateTicks), planned * tickMs));
    if (!this.#stopped) this.#plan(this.#parts.rest());
  }
}
