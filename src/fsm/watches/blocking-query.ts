/**
 * The one loop of every blocking read. It answers when the index is above the one the caller has, when its time is up (with
 * the state of that moment), when the state was replaced, or when the caller has gone.
 *
 * A single thing that is not there keeps its reader waiting while it stays away, whatever its reported index does
 * (http-state sheet 8.3): else every write elsewhere would answer every reader of an absent key.
 */
import type { Clock } from '../../std/clock.ts';
import { HeddleError } from '../../std/errors.ts';
import type { Waiter, WakeCause, WatchSet } from './watch-set.ts';

export interface BlockingOptions {
  /** Block while the index is at or below this; 0 does not block. */
  readonly minIndex: number;
  /** Longest time to block, in milliseconds, jitter included. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

export interface BlockingResult<Value> {
  readonly index: number;
  readonly value: Value;
  readonly notFound: boolean;
}

interface Notes {
  readonly keys: Set<string>;
  readonly prefixes: Set<string>;
}

type Run<Value> = (notes: Notes) => { readonly index: number; readonly value: Value; readonly notFound?: boolean };

/** Throws what the query throws; rejects with `ABORTED` when the caller has gone. */
export function blockingQuery<Value>(
  run: Run<Value>,
  options: BlockingOptions,
  edges: { readonly watches: WatchSet; readonly clock: Clock },
): Promise<BlockingResult<Value>> {
  return new Promise((resolve, reject) => {
    new BlockedRead(run, options, edges, resolve, reject).step('first');
  });
}

class BlockedRead<Value> implements Waiter {
  readonly #run: Run<Value>;
  readonly #options: BlockingOptions;
  readonly #edges: { readonly watches: WatchSet; readonly clock: Clock };
  readonly #resolve: (result: BlockingResult<Value>) => void;
  readonly #reject: (error: unknown) => void;
  readonly #onAbort = (): void => this.#fail(new HeddleError('ABORTED', 'the caller of a blocking read has gone'));
  #minIndex: number;
  #wasNotFound = false;
  #cancelTimer: (() => void) | undefined;
  #done = false;

  constructor(
    run: Run<Value>,
    options: BlockingOptions,
    edges: { readonly watches: WatchSet; readonly clock: Clock },
    resolve: (result: BlockingResult<Value>) => void,
    reject: (error: unknown) => void,
  ) {
    this.#run = run;
    this.#options = options;
    this.#edges = edges;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#minIndex = options.minIndex;
  }

  wake(cause: WakeCause): void {
    if (!this.#done) this.step(cause);
  }

  /** Reads, and answers or goes on waiting. */
  step(cause: WakeCause | 'first' | 'timeout'): void {
    try {
      const notes: Notes = { keys: new Set(), prefixes: new Set() };
      const { index, value, notFound = false } = this.#run(notes);
      // Zero is sent as one, so a caller that has 1 has seen it.
      const seen = Math.max(index, 1);
      if (notFound && this.#wasNotFound) this.#minIndex = Math.max(this.#minIndex, seen);
      this.#wasNotFound = notFound;
      const isDue = cause === 'timeout' || cause === 'replaced' || this.#options.minIndex <= 0;
      if (isDue || seen > this.#minIndex) this.#finish(() => this.#resolve({ index, value, notFound }));
      else this.#wait(notes);
    } catch (error) {
      this.#fail(error);
    }
  }

  #wait(notes: Notes): void {
    const { signal, waitMs } = this.#options;
    if (signal?.aborted) {
      this.#onAbort();
      return;
    }
    this.#edges.watches.add(notes, this);
    if (this.#cancelTimer !== undefined) return;
    this.#cancelTimer = this.#edges.clock.after(waitMs, () => {
      this.#edges.watches.remove(this);
      if (!this.#done) this.step('timeout');
    });
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  #fail(error: unknown): void {
    this.#finish(() => this.#reject(error));
  }

  #finish(settle: () => void): void {
    if (this.#done) return;
    this.#done = true;
    this.#edges.watches.remove(this);
    this.#cancelTimer?.();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    settle();
  }
}
