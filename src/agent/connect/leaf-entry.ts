/** One leaf over time: the current one, who waits for the next, and when that is fetched. */
import { renewalAt, retryAt, rootChangeAt } from '../../ca/index.ts';
import { assert } from '../../std/assert.ts';
import type { Clock } from '../../std/clock.ts';
import type { CaRoot, IssuedCert } from '../../structs/index.ts';
import type { HeldLeaf } from './leaf-issuer.ts';

export class LeafEntry {
  readonly datacenter: string;
  lastReadMs = 0;
  /** Reads that are under way; the cache counts them. */
  readers = 0;
  readonly #issue: () => Promise<HeldLeaf>;
  readonly #clock: Clock;
  readonly #random: () => number;
  #leaf: HeldLeaf | null = null;
  #fetching: Promise<HeldLeaf> | null = null;
  /** When the next leaf is fetched if somebody waits for it. */
  #dueMs = Number.POSITIVE_INFINITY;
  /** The signing key for which a renewal is planned already. */
  #plannedFor = '';
  #stopped = false;
  #failures = 0;
  #firstFailureMs = 0;
  #lastError: unknown = null;
  readonly #waiting = new Set<() => void>();
  #cancelTimer: () => void = () => undefined;

  constructor(datacenter: string, issue: () => Promise<HeldLeaf>, clock: Clock, random: () => number) {
    this.datacenter = datacenter;
    this.#issue = issue;
    this.#clock = clock;
    this.#random = random;
  }

  /** No leaf, and nobody who is about to fetch one. */
  get isEmpty(): boolean {
    return this.#leaf === null && this.readers === 0;
  }

  get #isWaitedFor(): boolean {
    return this.#waiting.size > 0;
  }

  /** The leaf, fetched first if there is none, it expired, or another key signs today. */
  async current(root: CaRoot | null): Promise<IssuedCert> {
    const leaf = this.#leaf;
    if (leaf !== null && this.#isValid(leaf)) {
      if (root === null || root.SigningKeyID === leaf.signingKeyId) return leaf.cert;
      // Refused a moment ago, and the old leaf is good: no reader makes us ask again before the time that was drawn.
      if (this.#failures > 0 && this.#clock.wallMs() < this.#dueMs) return leaf.cert;
    }
    try {
      return (await this.#fetch()).cert;
    } catch (error) {
      // During a rotation the old leaf goes on being trusted: better than none.
      if (leaf !== null && this.#isValid(leaf)) return leaf.cert;
      throw error;
    }
  }

  /** Whether there is a good leaf that a reader who knows `minIndex` has seen. */
  holds(minIndex: number): boolean {
    return this.#leaf !== null && this.#isValid(this.#leaf) && this.#leaf.cert.ModifyIndex <= minIndex;
  }

  /** The first leaf with a higher index, or the present one when the time is over. */
  async next(minIndex: number, waitMs: number, signal?: AbortSignal): Promise<IssuedCert> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        signal?.removeEventListener('abort', done);
        this.#waiting.delete(wake);
        if (!this.#isWaitedFor) this.#cancelTimer();
        resolve();
      };
      const wake = (): void => {
        if (this.#stopped || (this.#leaf !== null && this.#leaf.cert.ModifyIndex > minIndex)) done();
      };
      const cancel = this.#clock.after(waitMs, done);
      if (signal?.aborted) return done();
      signal?.addEventListener('abort', done);
      this.#waiting.add(wake);
      if (this.#waiting.size === 1) this.#arm();
    });
    const leaf = this.#leaf;
    assert(leaf !== null, 'who waits for the next leaf had one');
    if (!this.#isValid(leaf) && this.#lastError !== null) throw this.#lastError;
    return leaf.cert;
  }

  /** Plans a renewal if another key signs now than signed the leaf. */
  rootIs(root: CaRoot | null): void {
    if (root === null || this.#leaf === null || this.#leaf.signingKeyId === root.SigningKeyID) return;
    if (this.#plannedFor === root.SigningKeyID) return;
    this.#plannedFor = root.SigningKeyID;
    this.#dueMs = Math.min(this.#dueMs, rootChangeAt(this.#clock.wallMs(), this.#random));
    if (this.#isWaitedFor) this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    for (const wake of [...this.#waiting]) wake();
  }

  #isValid(leaf: HeldLeaf): boolean {
    return this.#clock.wallMs() < leaf.validBeforeMs;
  }

  #arm(): void {
    this.#cancelTimer();
    if (this.#stopped || this.#dueMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(this.#dueMs - this.#clock.wallMs(), 0);
    // Node's timers end at 24.8 days; a longer wait is made of several.
    const stepMs = Math.min(delayMs, 2 ** 31 - 1);
    this.#cancelTimer = this.#clock.after(stepMs, () => {
      if (stepMs < delayMs) this.#arm();
      else void this.#fetch().catch(() => undefined); // kept in #lastError; the next try is planned
    });
  }

  /** Everybody who needs a new leaf now shares one request. */
  #fetch(): Promise<HeldLeaf> {
    this.#fetching ??= this.#issue().then(
      (leaf) => this.#fetched(leaf),
      (error: unknown) => this.#failed(error),
    );
    return this.#fetching;
  }

  #fetched(leaf: HeldLeaf): HeldLeaf {
    this.#fetching = null;
    this.#leaf = leaf;
    this.#failures = 0;
    this.#lastError = null;
    this.#dueMs = renewalAt(leaf, this.#clock.wallMs(), this.#random);
    for (const wake of [...this.#waiting]) wake();
    if (this.#isWaitedFor) this.#arm();
    return leaf;
  }

  #failed(error: unknown): never {
    this.#fetching = null;
    this.#lastError = error;
    const nowMs = this.#clock.wallMs();
    if (this.#failures === 0) this.#firstFailureMs = nowMs;
    this.#failures++;
    this.#dueMs = Math.max(retryAt(this.#firstFailureMs, this.#failures, this.#random), nowMs);
    if (this.#isWaitedFor) this.#arm();
    throw error;
  }
}
