/** What runs the checks of an agent: started and stopped by id, telling the local state what they find. */
import type { Clock } from '../../std/clock.ts';
import type { CheckToRun } from '../definitions/registration.ts';
import type { NodeChecks } from './checks/alias.ts';
import { makeRunner } from './checks/make.ts';
import { PeriodicCheck } from './checks/periodic.ts';
import type { Runner, Verdict } from './checks/runner.ts';
import { TtlCheck } from './checks/ttl.ts';
import { LocalError } from './errors.ts';
import type { Persistence } from './persistence.ts';
import type { LocalState } from './state.ts';

/** Settings that a reload may change. */
export interface RegistryTuning {
  checkOutputBytesMax: number;
  discardCheckOutput: boolean;
  /** 0: every change of output is sent at once. */
  checkUpdateIntervalMs: number;
}

export interface RunnerParts {
  readonly state: LocalState;
  readonly persistence: Persistence;
  readonly clock: Clock;
  readonly chance: () => number;
  readonly nodeChecks: NodeChecks;
  readonly log: {
    readonly debug: (message: string, fields: Record<string, unknown>) => void;
    readonly warn: (message: string, fields: Record<string, unknown>) => void;
    readonly info: (message: string, fields: Record<string, unknown>) => void;
  };
}

interface Running {
  readonly runner: Runner;
  readonly deregisterAfterMs: number;
}

const minute = 60_000;

export class CheckRunners {
  readonly #dockerHost: string;
  readonly #tuning: RegistryTuning;
  readonly #parts: RunnerParts;
  readonly #running = new Map<string, Running>();

  constructor(dockerHost: string, tuning: RegistryTuning, parts: RunnerParts) {
    this.#dockerHost = dockerHost;
    this.#tuning = tuning;
    this.#parts = parts;
  }

  stop(id: string): void {
    this.#running.get(id)?.runner.stop();
    this.#running.delete(id);
  }
  stopAll(): void {
    for (const id of [...this.#running.keys()]) this.stop(id);
  }

  /** Tries at once, where there is something to try. */
  hurry(id: string): void {
    const runner = this.#running.get(id)?.runner;
    if (runner instanceof PeriodicCheck) runner.hurry();
  }

  /** 0: never. */
  deregisterAfterMs(id: string): number {
    return this.#running.get(id)?.deregisterAfterMs ?? 0;
  }

  /** A report from outside. Answers the output as kept. */
  updateTtl(id: string, status: Verdict, output: string): { readonly output: string; readonly ttlMs: number } {
    const runner = this.#running.get(id)?.runner;
    if (!(runner instanceof TtlCheck)) {
      throw new LocalError('failed', `CheckID ${JSON.stringify(id)} does not have associated TTL`);
    }
    return { output: runner.update(status, output), ttlMs: runner.ttlMs };
  }

  get ttlCount(): number {
    return [...this.#running.values()].filter(({ runner }) => runner instanceof TtlCheck).length;
  }
  get monitorCount(): number {
    return this.#running.size - this.ttlCount;
  }

  run(id: string, given: CheckToRun): void {
    const { clock, chance, log, nodeChecks } = this.#parts;
    const runner = makeRunner(
      given.spec,
      {
        checkId: id,
        outputBytesMax: this.#tuning.checkOutputBytesMax,
        state: this.#parts.state,
        nodeChecks,
        dockerHost: this.#dockerHost,
      },
      { clock, chance, report: (status, output) => this.#report(id, status, output) },
    );
    const limitMs = given.deregisterAfterNs / 1e6;
    if (limitMs > 0 && limitMs < minute) {
      log.warn('check has deregister interval below minimum', { check: id, minimum_interval: '1m0s' });
    }
    this.#running.set(id, { runner, deregisterAfterMs: limitMs > 0 ? Math.max(minute, limitMs) : 0 });
    runner.start();
    this.#resume(id, runner);
  }

  /** A TTL that had not run out when the agent stopped goes on. */
  #resume(id: string, runner: Runner): void {
    if (!(runner instanceof TtlCheck)) return;
    const stored = this.#parts.persistence.state(id);
    if (stored === undefined) return;
    const leftMs = stored.Expires * 1000 - this.#parts.clock.wallMs();
    if (leftMs <= 0) return;
    this.#report(id, stored.Status, stored.Output);
    runner.resume(stored.Output, Math.min(leftMs, runner.ttlMs));
  }

  #report(id: string, status: Verdict, output: string): void {
    const before = this.#parts.state.check(id);
    if (before === undefined) return;
    const kept = this.#tuning.discardCheckOutput ? '' : output;
    if (before.check.Status !== status) this.#parts.log.debug('Check status updated', { check: id, status });
    this.#parts.state.setCheckState(
      id,
      status,
      kept,
      this.#parts.clock.monotonicMs(),
      this.#tuning.checkUpdateIntervalMs > 0,
    );
  }
}
