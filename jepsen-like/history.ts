/**
 * What clients asked and learned. An operation ended `ok` (it happened), `fail` (it certainly did not), or `unknown`: it may
 * have happened, or may still happen, for ever. Checkers use histories only; they never ask the system under test.
 */
export type Outcome = 'ok' | 'fail' | 'unknown';

export interface Operation {
  readonly client: number;
  /** Which server was asked. */
  readonly server: number;
  /** `write`, `read`, `cas`, `add`, … : the workload's own words. */
  readonly op: string;
  readonly key: string;
  /** What was asked with: the value written, the element added. */
  readonly input: unknown;
  /** What came back, for `ok`. */
  readonly output: unknown;
  readonly outcome: Outcome;
  /** Milliseconds since the run began, monotonic. For `unknown`, the end is when the client gave up. */
  readonly startMs: number;
  readonly endMs: number;
  /** Text of the failure. */
  readonly error?: string;
}

export interface Fault {
  readonly nemesis: string;
  readonly what: string;
  readonly startMs: number;
  readonly endMs: number;
  /** It was done to a host that runs sidecars, not to the servers. */
  readonly onHost: boolean;
  /** What was measured while it was in, that shows that it bit; undefined: it did nothing. */
  readonly proof: string | undefined;
}

/** Times that a workload measured, for the report. */
export interface Figure {
  readonly name: string;
  readonly ms: readonly number[];
}

export interface CheckResult {
  readonly valid: boolean;
  /** One line for people: what was counted, or what broke. */
  readonly summary: string;
  /** The evidence of a violation, one line each. */
  readonly violations: readonly string[];
  readonly figures?: readonly Figure[];
}

export class History {
  readonly operations: Operation[] = [];
  readonly #startedMs: number;

  /** Histories that are looked at together begin at the same time. */
  constructor(startedMs = performance.now()) {
    this.#startedMs = startedMs;
  }

  nowMs(): number {
    return performance.now() - this.#startedMs;
  }

  add(operation: Operation): void {
    this.operations.push(operation);
  }

  of(op: string, outcome?: Outcome): Operation[] {
    return this.operations.filter((each) => each.op === op && (outcome === undefined || each.outcome === outcome));
  }
}
