/**
 * What a campaign must have seen to be worth its name: every kind of fault, and the rare states that it is there to reach. A harness
 * that silently stopped injecting a fault would pass for ever.
 *
 * Each mark comes with the least share of runs that reach it (`expected-shares.ts`). It is required once so many runs have passed that missing it by chance is out of the question; a short campaign requires the common ones.
 */
import { expectedShares } from './expected-shares.ts';

/** A mark that 14 runs are expected to reach is missed by chance once in e^14 = 1.2 million campaigns. */
const expectedRunsMin = 14;

export class Coverage {
  #runs = 0;
  /** Runs that reached a mark, and how often in all. */
  readonly #reached = new Map<string, { runs: number; times: number }>();
  readonly #shares: Readonly<Record<string, number>>;

  constructor(shares: Readonly<Record<string, number>> = expectedShares) {
    this.#shares = shares;
  }

  add(marks: ReadonlyMap<string, number>): void {
    this.#runs++;
    for (const [name, times] of marks) {
      const before = this.#reached.get(name) ?? { runs: 0, times: 0 };
      this.#reached.set(name, { runs: before.runs + 1, times: before.times + times });
    }
  }

  /** Marks that so many runs should have reached, and did not. */
  missed(): string[] {
    return this.#of((share) => share * this.#runs >= expectedRunsMin).filter((name) => !this.#reached.has(name));
  }

  /** Marks that are too rare for so few runs. */
  notRequired(): string[] {
    return this.#of((share) => share * this.#runs < expectedRunsMin);
  }

  lines(): string[] {
    return [...this.#reached]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { runs, times }]) => {
        const share = `${((100 * runs) / this.#runs).toFixed(1)}%`;
        return `  ${name.padEnd(40)} ${String(times).padStart(9)}  in ${share.padStart(6)} of the runs`;
      });
  }

  #of(wanted: (share: number) => boolean): string[] {
    return Object.entries(this.#shares)
      .filter(([, share]) => wanted(share))
      .map(([name]) => name);
  }
}
