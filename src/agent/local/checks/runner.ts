/** What runs a check: started once, stopped once, telling a status and a text whenever it knows one. */
import type { Clock } from '../../../std/clock.ts';

export type Verdict = 'passing' | 'warning' | 'critical';

export interface Outcome {
  readonly status: Verdict;
  readonly output: string;
  /** Shown at once, whatever the thresholds say (a script that did not start or did not end). */
  readonly certain?: boolean;
}

export type Report = (status: Verdict, output: string) => void;

export interface Runner {
  start(): void;
  /** After it nothing is reported any more, and nothing of it runs. */
  stop(): void;
}

export interface RunnerContext {
  readonly clock: Clock;
  /** A float in [0, 1): spreads the first runs of checks that start together. */
  readonly chance: () => number;
  readonly report: Report;
}
