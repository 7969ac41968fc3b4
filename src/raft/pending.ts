/** Who waits for what in the driver: proposals for their entry, reads for their read point, both for the applied index. */

import { NumberMap } from '../std/number-map.ts';
import type { LogIndex, Term } from './core/types.ts';
import { RaftError } from './errors.ts';

export interface Deferred<T> {
  resolve(value: T): void;
  reject(reason: Error): void;
}

export interface Proposed {
  readonly index: LogIndex;
  readonly result: unknown;
}

interface Pending {
  readonly term: Term;
  readonly deferred: Deferred<Proposed>;
}

/** Proposals in the log, by index. */
export class PendingProposals {
  readonly #byIndex = new NumberMap<Pending>();

  get size(): number {
    return this.#byIndex.size;
  }

  add(index: LogIndex, term: Term, deferred: Deferred<Proposed>): void {
    this.#byIndex.set(index, { term, deferred });
  }

  /** An entry was applied: its proposer, if it is here and it is the same entry, gets the result. */
  applied(index: LogIndex, term: Term, result: unknown): void {
    const pending = this.#byIndex.take(index);
    if (pending === undefined) return;
    if (pending.term === term) pending.deferred.resolve({ index, result });
    else pending.deferred.reject(new RaftError('leadershipLost', { index }));
  }

  rejectAll(reason: () => Error): void {
    const all = this.#byIndex.values();
    this.#byIndex.clear();
    for (const { deferred } of all) deferred.reject(reason());
  }
}

/** Calls that wait until an index is applied. */
export class AppliedWaiters {
  #waiters: { readonly index: LogIndex; readonly deferred: Deferred<LogIndex> }[] = [];

  get size(): number {
    return this.#waiters.length;
  }

  wait(index: LogIndex, applied: LogIndex, deferred: Deferred<LogIndex>): void {
    if (index <= applied) deferred.resolve(index);
    else this.#waiters.push({ index, deferred });
  }

  applied(index: LogIndex): void {
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter((waiter) => waiter.index <= index);
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.index > index);
    for (const { index: at, deferred } of ready) deferred.resolve(at);
  }

  rejectAll(reason: () => Error): void {
    const all = this.#waiters;
    this.#waiters = [];
    for (const { deferred } of all) deferred.reject(reason());
  }
}
