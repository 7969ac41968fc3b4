/**
 * Lets a status change only after a number of results in a row. Passing and warning are one class (it works), critical the
 * other. Counters start full, so that the first result of all counts at once.
 */
import type { Outcome, Report } from './runner.ts';

export interface Thresholds {
  readonly successBeforePassing: number;
  /** 0: as failuresBeforeCritical. */
  readonly failuresBeforeWarning: number;
  readonly failuresBeforeCritical: number;
}

export class StatusGate {
  readonly #thresholds: Thresholds;
  readonly #report: Report;
  #successes: number;
  #failures: number;

  constructor(thresholds: Thresholds, report: Report) {
    this.#thresholds = thresholds;
    this.#report = report;
    this.#successes = thresholds.successBeforePassing;
    this.#failures = thresholds.failuresBeforeCritical;
  }

  offer({ status, output, certain }: Outcome): void {
    if (certain === true) {
      this.#report(status, output);
      return;
    }
    if (status === 'critical') this.#failed(output);
    else this.#worked(status, output);
  }

  #worked(status: Outcome['status'], output: string): void {
    this.#successes++;
    this.#failures = 0;
    if (this.#successes >= Math.max(1, this.#thresholds.successBeforePassing)) this.#report(status, output);
  }

  #failed(output: string): void {
    this.#failures++;
    this.#successes = 0;
    const { failuresBeforeWarning: warning, failuresBeforeCritical: critical } = this.#thresholds;
    if (this.#failures >= Math.max(1, critical)) this.#report('critical', output);
    else if (warning > 0 && this.#failures >= warning) this.#report('warning', output);
  }
}
