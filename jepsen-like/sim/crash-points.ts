/**
 * Points of persistence: every end of a commit to the log, with any part of it written, and every step at which the state machine, a
 * checkpoint or a received chunk becomes durable. A run counts them; another run of the same seed is the same up to any one of them, and
 * dies there. `run-crash-points.ts` goes through them all.
 */

/** One that was reached, in the order in which its server reached it. */
export interface PersistencePoint {
  readonly server: string;
  /** The how manieth of this server, from 1. */
  readonly number: number;
  readonly what: string;
  /** Of a commit: how many operations it has. */
  readonly operations: number | undefined;
}

/** Where a server dies. */
export interface CrashPoint {
  readonly server: string;
  readonly number: number;
  /** How many operations of the commit are written; of no meaning elsewhere. */
  readonly kept: number;
  /** The applied state goes as well, back to the last checkpoint. */
  readonly powerLoss: boolean;
}

export class CrashPoints {
  readonly reached: PersistencePoint[] = [];
  readonly downMs = 40;
  readonly #at: CrashPoint | undefined;
  readonly #numbers = new Map<string, number>();
  #done = false;

  constructor(at: CrashPoint | undefined) {
    this.#at = at;
  }

  get powerLoss(): boolean {
    return this.#at?.powerLoss ?? false;
  }

  /** Whether the run came to the point at all. */
  get done(): boolean {
    return this.#done;
  }

  /** A commit of so many operations ends. A number: the server dies with so many of them written. */
  commit(server: string, operations: number): number | undefined {
    return this.#reach(server, 'commit', operations) ? this.#at!.kept : undefined;
  }

  /** True: the server dies here. */
  state(server: string, what: string): boolean {
    return this.#reach(server, what, undefined);
  }

  #reach(server: string, what: string, operations: number | undefined): boolean {
    const number = (this.#numbers.get(server) ?? 0) + 1;
    this.#numbers.set(server, number);
    this.reached.push({ server, number, what, operations });
    if (this.#done || this.#at?.server !== server || this.#at.number !== number) return false;
    this.#done = true;
    return true;
  }
}

/** Every way to die at a point: with each part of a commit written, and each with the power gone or not. */
export function waysToDie({ server, number, operations }: PersistencePoint): CrashPoint[] {
  const parts = operations === undefined ? [0] : Array.from({ length: operations + 1 }, (_, kept) => kept);
  return parts.flatMap((kept) => [false, true].map((powerLoss) => ({ server, number, kept, powerLoss })));
}
