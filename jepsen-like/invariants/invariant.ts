/**
 * An invariant watches every step of a simulated cluster and keeps its own record; it throws a Violation when what must always hold
 * does not.
 */
import type { Message } from '../../src/raft/core/messages.ts';
import type { CoreState } from '../../src/raft/core/state.ts';
import type { Configuration, HardState } from '../../src/raft/index.ts';
import type { Mirror, MirroredEntry } from '../sim/mirror.ts';

/** A server as invariants see it. */
export interface Watched {
  readonly id: string;
  /** Undefined while it is down. */
  readonly state: CoreState | undefined;
  readonly mirror: Mirror;
  /** What was on disks that it has lost since. */
  readonly lostMirrors: readonly Mirror[];
  readonly machineIndex: number;
}

/** What a state answers; the arrays go together. */
export interface Answers {
  readonly questions: readonly string[];
  readonly indexes: readonly number[];
  readonly hashes: readonly number[];
}

export interface Watch {
  /** After every event that concerned this server. */
  step?(server: Watched, all: readonly Watched[]): void;
  /** Its disk was replaced by an empty one. */
  diskReplaced?(server: Watched): void;
  /** It has started (again), from its disk. */
  started?(server: Watched): void;
  sent?(message: Message, server: Watched): void;
  /** It has handled a message. */
  received?(message: Message, server: Watched): void;
  /** Term and vote on its disk became others. */
  hardState?(server: Watched, before: HardState, now: HardState): void;
  /** An entry became durable. */
  durable?(server: Watched, index: number, entry: MirroredEntry): void;
  applied?(server: Watched, index: number, term: number, commandId: number, hash: number): void;
  restored?(server: Watched, index: number, hash: number): void;
  /** What the state is, by its rows: after a run of entries, or a restore. */
  stateIs?(server: Watched, index: number, fingerprint: string): void;
  /** A consistent read of a key told a client this index; one that had ended before it began had told `before`. */
  answered?(server: Watched, key: string, index: number, before: number): void;
  /** What it answers to every query, where the real state machine is replicated: after a run of entries, or a restore. */
  answers?(server: Watched, index: number, answers: Answers): void;
  acknowledged?(commandId: number, index: number): void;
  readServed?(server: Watched, mode: 'lease' | 'readIndex', index: number, acknowledgedBefore: number): void;
}

export interface Invariant {
  readonly name: string;
  /** Where it comes from. */
  readonly source: string;
  /** In one sentence. */
  readonly says: string;
  create(): Watch;
}

export class Violation extends Error {
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

export function hold(condition: boolean, invariant: string, message: () => string): void {
  if (!condition) throw new Violation(invariant, message());
}

/** Does a majority of each voter group satisfy the predicate? The checkers' own count, not the core's. */
export function majorities(configuration: Configuration, is: (id: string) => boolean): boolean {
  const enough = (group: readonly string[]): boolean => 2 * group.filter(is).length > group.length;
  return (
    enough(configuration.voters) && (configuration.votersOutgoing.length === 0 || enough(configuration.votersOutgoing))
  );
}
