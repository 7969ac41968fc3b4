/** Runs a probe again and again: first after a random part of the interval, then an interval after each end. */
import { plain } from './net-errors.ts';
import type { Outcome, Runner, RunnerContext } from './runner.ts';
import { StatusGate, type Thresholds } from './thresholds.ts';

/**
 * One try; it ends soon after `signal` aborts. It knows how what it looks at can fail. An error is an argument that the
 * platform does not take (a port of 99,999, a zero byte in a program's argument), and makes the check critical as well: what
 * somebody registers never ends the agent.
 */
export type Probe = (signal: AbortSignal) => Promise<Outcome>;

export interface Schedule extends Thresholds {
  readonly intervalMs: number;
}

export class PeriodicCheck implements Runner {
  readonly #probe: Probe;
  readonly #schedule: Schedule;
  readonly #context: RunnerContext;
  readonly #gate: StatusGate;
  readonly #stopped = new AbortController();
  #cancel: (() => void) | undefined;
  #running = false;

  constructor(probe: Probe, schedule: Schedule, context: RunnerContext) {
    this.#probe = probe;
    this.#schedule = schedule;
    this.#context = context;
    this.#gate = new StatusGate(schedule, (status, output) => {
      if (!this.#stopped.signal.aborted) context.report(status, output);
    });
  }

  start(): void {
    this.#plan(this.#context.chance() * this.#schedule.intervalMs);
  }

  /** Tries at once, unless a try is under way: somebody knows that there is something new to see. */
  hurry(): void {
    if (this.#running) return;
    this.#cancel?.();
    void this.#run();
  }

  stop(): void {
    this.#cancel?.();
    this.#stopped.abort();
  }

  #plan(delayMs: number): void {
    if (this.#stopped.signal.aborted) return;
    this.#cancel = this.#context.clock.after(delayMs, () => void this.#run());
  }

  async #run(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    this.#running = true;
    const outcome = await this.#try();
    this.#running = false;
    this.#gate.offer(outcome);
    this.#plan(this.#schedule.intervalMs);
  }

  async #try(): Promise<Outcome> {
    try {
      return await this.#probe(this.#stopped.signal);
    } catch (error) {
      return { status: 'critical', output: `The check cannot run: ${plain(error)}` };
    }
  }
}
