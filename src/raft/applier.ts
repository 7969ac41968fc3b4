/**
 * Brings committed entries to the state machine, in order, in bounded runs: commands go to it, Raft's own entries do not. Between
 * two runs the event loop gets its turn, so that a long catch-up starves nobody. How many entries a run holds follows from how long
 * the last ones took: commands differ in cost by a factor of a hundred.
 */
import { assert } from '../std/assert.ts';
import type { Clock } from '../std/clock.ts';
import type { RaftSettings } from './config.ts';
import type { RaftCore } from './core/core.ts';
import type { Configuration, Entry, LogIndex, Term } from './core/types.ts';
import { RaftError } from './errors.ts';
import type { RaftLog } from './log/log.ts';
import type { CommittedEntry, StateMachine } from './state-machine.ts';

export interface ApplierEvents {
  result(index: LogIndex, term: Term, result: unknown): void;
  configuration(configuration: Configuration, index: LogIndex): void;
  /** A run is done; everything up to `index` is applied. */
  applied(index: LogIndex): void;
}

export interface ApplierParts {
  readonly core: RaftCore;
  readonly settings: RaftSettings;
  readonly log: RaftLog;
  readonly stateMachine: StateMachine;
  readonly clock: Clock;
  readonly events: ApplierEvents;
  /** Later, in another turn of the event loop, if the server still runs then. */
  later(callback: () => void): void;
}

/** However slow the commands are: a run costs a transaction. */
const entriesMin = 16;

export class Applier {
  readonly #parts: ApplierParts;
  #target: LogIndex = 0;
  #scheduled = false;
  /** Entries of the next run, at most. */
  #entriesMax: number;

  constructor(parts: ApplierParts) {
    this.#parts = parts;
    this.#entriesMax = parts.settings.applyEntriesMax;
  }

  /** `others`: somebody waits for what this turn sends or writes. That leaves first, and applying has the next turn. */
  applyUpTo(index: LogIndex, others = false): void {
    this.#target = index;
    if (this.#scheduled) return;
    if (!others) this.#run();
    else if (this.#mayRun()) this.#schedule();
  }

  #mayRun(): boolean {
    const { installing, appliedIndex } = this.#parts.core.state;
    return installing === undefined && appliedIndex < this.#target;
  }

  #schedule(): void {
    this.#scheduled = true;
    this.#parts.later(() => {
      this.#scheduled = false;
      this.#run();
    });
  }

  #run(): void {
    if (!this.#mayRun()) return;
    this.#timedRun(this.#take());
    if (this.#mayRun()) this.#schedule();
  }

  #timedRun(entries: readonly Entry[]): void {
    const { clock, settings } = this.#parts;
    const startMs = clock.monotonicMs();
    this.#applyRun(entries);
    const tookMs = clock.monotonicMs() - startMs;
    if (tookMs > settings.applyMs) {
      const fitting = Math.floor((entries.length * settings.applyMs) / tookMs);
      this.#entriesMax = Math.min(this.#entriesMax, Math.max(entriesMin, fitting));
    } else if (tookMs < settings.applyMs / 2 && entries.length >= this.#entriesMax) {
      this.#entriesMax = Math.min(settings.applyEntriesMax, 2 * this.#entriesMax);
    }
  }

  #take(): readonly Entry[] {
    const { core, settings, log } = this.#parts;
    const from = core.state.appliedIndex + 1;
    const entriesMax = Math.min(this.#entriesMax, this.#target - from + 1);
    const entries =
      core.state.log.slice(from, entriesMax, settings.applyBytesMax) ??
      log.read(from, this.#target, entriesMax, settings.applyBytesMax);
    if (entries.length === 0) throw new RaftError('logCorrupt', { detail: `committed entry ${from} cannot be read` });
    return entries;
  }

  #applyRun(entries: readonly Entry[]): void {
    const { core, events } = this.#parts;
    const commands: CommittedEntry[] = entries.filter((entry) => entry.kind === 'command');
    const results = commands.length === 0 ? [] : this.#apply(commands);
    const last = entries.at(-1)!.index;
    core.applied(last);
    for (let i = 0; i < commands.length; i++) events.result(commands[i]!.index, commands[i]!.term, results[i]);
    for (const entry of entries) {
      if (entry.kind === 'configuration') events.configuration(entry.configuration, entry.index);
    }
    events.applied(last);
  }

  #apply(commands: readonly CommittedEntry[]): readonly unknown[] {
    const { stateMachine } = this.#parts;
    let results: readonly unknown[];
    try {
      results = stateMachine.apply(commands);
    } catch (cause) {
      throw new RaftError('stateMachineFailed', { detail: String(cause), index: commands[0]!.index }, { cause });
    }
    assert(results.length === commands.length, 'apply returns one result per entry');
    assert(stateMachine.appliedIndex === commands.at(-1)!.index, 'apply moves the applied index to its last entry');
    return results;
  }
}
