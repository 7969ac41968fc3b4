/**
 * A check that follows another service. It looks at the checks of that service and at all checks of its node; the worst
 * counts. Of a service of this agent it hears by the local state, of other nodes by a blocking read.
 */
import type { Clock } from '../../../std/clock.ts';
import type { HealthCheck } from '../../../structs/index.ts';
import { pause } from '../pause.ts';
import type { LocalState } from '../state.ts';
import { plain } from './net-errors.ts';
import type { Outcome, Runner, RunnerContext, Verdict } from './runner.ts';

export interface AliasTarget {
  /** The alias check itself, which never counts. */
  readonly checkId: string;
  /** '' for this agent's own node. */
  readonly node: string;
  /** '' for the node's own checks alone. */
  readonly serviceId: string;
}

/** The state that a set of checks amounts to. `exists`: whether the service is there at all. */
export function aliasOutcome(target: AliasTarget, checks: Iterable<HealthCheck>, exists: boolean): Outcome {
  let worst: Outcome | undefined;
  for (const check of checks) {
    if (check.CheckID === target.checkId && target.node === '') continue;
    if (check.ServiceID !== '' && check.ServiceID !== target.serviceId) continue;
    if (check.Status === 'critical' || check.Status === 'warning') {
      const output = `Aliased check ${JSON.stringify(check.Name)} failing: ${check.Output}`;
      worst = { status: check.Status, output };
      if (check.Status === 'critical') return worst;
    } else if (worst === undefined) {
      worst = { status: 'passing', output: 'All checks passing.' };
    }
  }
  if (!exists) {
    return { status: 'critical', output: `Service ${target.serviceId} could not be found on node ${target.node}` };
  }
  return worst ?? { status: 'passing', output: 'No checks found.' };
}

const refreshMs = 60_000;

/** Follows a service of this agent. Checks of the node alone do not wake it: it looks again every minute. */
export class LocalAlias implements Runner {
  readonly #target: AliasTarget;
  readonly #state: LocalState;
  readonly #context: RunnerContext;
  #unwatch: (() => void) | undefined;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(target: AliasTarget, state: LocalState, context: RunnerContext) {
    this.#target = target;
    this.#state = state;
    this.#context = context;
  }

  start(): void {
    this.#unwatch = this.#state.watch((change) => {
      const mine =
        change.kind === 'service'
          ? change.id === this.#target.serviceId
          : change.serviceId === this.#target.serviceId && change.statusChanged && change.id !== this.#target.checkId;
      if (mine && this.#target.serviceId !== '') this.#look();
    });
    this.#look();
    // Definitions of one file or request come one after the other: look again when all are in.
    this.#cancel = this.#context.clock.after(0, () => {
      this.#look();
      this.#plan();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#unwatch?.();
    this.#cancel?.();
  }

  /** The state of now. */
  outcome(): Outcome {
    const { serviceId } = this.#target;
    const exists = serviceId === '' || this.#state.service(serviceId) !== undefined;
    const checks = [...this.#state.checks().values()].map((entry) => entry.check);
    return aliasOutcome(this.#target, checks, exists);
  }

  #look(): void {
    if (this.#stopped) return;
    const { status, output } = this.outcome();
    this.#context.report(status, output);
  }

  #plan(): void {
    this.#cancel = this.#context.clock.after(refreshMs, () => {
      this.#look();
      this.#plan();
    });
  }
}

/** Reads the checks of a node: at once when `index` is 0, else when they change. */
export type NodeChecks = (
  node: string,
  index: number,
  signal: AbortSignal,
) => Promise<{
  readonly checks: readonly HealthCheck[];
  readonly services: ReadonlySet<string>;
  readonly index: number;
}>;

/** Failures that are waited out at the full interval before the wait doubles, and the one that is told. */
const patientFailures = 3;
const toldFailure = 2;
const backoffMsMax = 60_000;
const paceMs = 50;

/** Follows a service of another node (or of this one by its name, as the catalog has it). */
export class RemoteAlias implements Runner {
  readonly #target: AliasTarget;
  readonly #read: NodeChecks;
  readonly #context: RunnerContext;
  readonly #stopped = new AbortController();

  constructor(target: AliasTarget, read: NodeChecks, context: RunnerContext) {
    this.#target = target;
    this.#read = read;
    this.#context = context;
  }

  start(): void {
    void this.#follow(this.#context.clock);
  }
  stop(): void {
    this.#stopped.abort();
  }

  async #follow(clock: Clock): Promise<void> {
    const { signal } = this.#stopped;
    let index = 0;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const answer = await this.#read(this.#target.node, index, signal);
        failures = 0;
        // An index of 0 would not block: the next read would come at once, and so on for ever.
        index = Math.max(1, answer.index < index ? 0 : answer.index);
        const { serviceId } = this.#target;
        const outcome = aliasOutcome(this.#target, answer.checks, serviceId === '' || answer.services.has(serviceId));
        this.#report(outcome.status, outcome.output);
        // Every change of any check of the cluster ends the wait: many together are looked at once.
        await pause(clock, paceMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        if (failures >= toldFailure) {
          this.#report('critical', `Failure checking aliased node or service: ${plain(error)}`);
        }
        await pause(clock, failures > patientFailures ? Math.min(2 ** failures * 1_000, backoffMsMax) : 1_000, signal);
      }
    }
  }

  #report(status: Verdict, output: string): void {
    if (!this.#stopped.signal.aborted) this.#context.report(status, output);
  }
}
