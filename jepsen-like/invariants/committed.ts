/** What three invariants share: a record of everything that was ever committed. */
import type { Watched } from './invariant.ts';

export class CommittedLog {
  /** index -> term. */
  readonly terms = new Map<number, number>();
  last = 0;
  readonly #seen = new Map<string, number>();

  /** Reports entries that this server considers committed and that are new for it. */
  follow(server: Watched, report: (index: number, term: number, isFirst: boolean) => void): void {
    const { state, id } = server;
    if (state === undefined) return;
    const from = Math.max(this.#seen.get(id) ?? 0, state.log.prefix.index);
    for (let index = from + 1; index <= state.commitIndex; index++) {
      const term = state.log.termAt(index)!;
      const known = this.terms.get(index);
      report(index, term, known === undefined);
      if (known === undefined) this.terms.set(index, term);
      this.last = Math.max(this.last, index);
    }
    this.#seen.set(id, Math.max(state.commitIndex, from));
  }

  restarted(id: string): void {
    this.#seen.delete(id);
  }
}
