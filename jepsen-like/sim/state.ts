/**
 * What the simulated servers replicate. Two kinds: `registers`, as small as clients' questions need, so that a campaign gets through many
 * runs; and `heddle`, the real state machine with its commands and queries, over the storage interface (`heddle-state.ts`).
 */
import type { CommittedEntry } from '../../src/raft/index.ts';
import type { Answers } from '../invariants/invariant.ts';
import type { Command } from './machine.ts';

export const stateKinds = ['registers', 'heddle'] as const;
export type StateKind = (typeof stateKinds)[number];

/** A register as a read finds it. */
export interface Register {
  readonly value: number | null;
  /** Of the answer, as a client of Heddle is told it; 0 where there is none. */
  readonly index: number;
}

export interface ReplicatedState {
  /** The process starts (again) on what the kernel or the disk has kept. */
  open(): void;
  register(key: string): Register;
  /** A run of entries, all or nothing; one result each. */
  apply(entries: readonly CommittedEntry[], commands: readonly Command[]): readonly unknown[];
  /** Equal where the same was applied; undefined where entries alone tell. */
  fingerprint(): string | undefined;
  /** To every query; undefined where there are none. */
  answers(): Answers | undefined;
  /** What a checkpoint keeps of it, as JSON knows it. */
  save(): Saved;
  /** Takes the place of everything. Absent: the state of an empty disk. */
  load(saved: Saved | undefined): void;
}

export interface Saved {
  readonly registers?: readonly (readonly [string, number])[];
  readonly rows?: readonly (readonly [key: string, base64: string])[];
}

export interface CommandResult {
  readonly applied: boolean;
}

export class Registers implements ReplicatedState {
  #registers = new Map<string, number>();

  open(): void {}

  register(key: string): Register {
    return { value: this.#registers.get(key) ?? null, index: 0 };
  }

  apply(_entries: readonly CommittedEntry[], commands: readonly Command[]): readonly CommandResult[] {
    return commands.map(({ key, value, expect }) => {
      if (expect !== undefined && (this.#registers.get(key) ?? null) !== expect) return { applied: false };
      this.#registers.set(key, value);
      return { applied: true };
    });
  }

  fingerprint(): undefined {
    return undefined;
  }

  answers(): undefined {
    return undefined;
  }

  save(): Saved {
    return { registers: [...this.#registers] };
  }

  load(saved: Saved | undefined): void {
    this.#registers = new Map(saved?.registers);
  }
}
