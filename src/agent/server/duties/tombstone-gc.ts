/**
 * When deletions may be forgotten: a tombstone is kept for 15 minutes, so that a reader of its prefix sees an index that
 * grew. Tombstones are collected in bins of 30 seconds, each reaped by one command up to the bin's highest index. A new
 * leader's bins start empty; older tombstones go with its first bin.
 */
import type { AppliedCommand } from '../../../fsm/index.ts';
import type { Clock } from '../../../std/clock.ts';

const ttlMs = 15 * 60_000;
const binMs = 30_000;

export interface TombstoneGcOptions {
  readonly clock: Clock;
  reap(index: number): Promise<unknown>;
  warn(message: string, fields: Record<string, unknown>): void;
}

export class TombstoneGc {
  readonly #options: TombstoneGcOptions;
  /** By the time that it is due (monotonic ms, whole bins): the highest index in the bin, and its timer. */
  readonly #bins = new Map<number, { index: number; readonly cancel: () => void }>();

  constructor(options: TombstoneGcOptions) {
    this.#options = options;
  }

  applied({ index, changes }: AppliedCommand): void {
    if (changes.some(({ table, after }) => table === 'tombstones' && after !== undefined)) this.#add(index);
  }

  stop(): void {
    for (const { cancel } of this.#bins.values()) cancel();
    this.#bins.clear();
  }

  #add(index: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    const dueMs = Math.ceil((nowMs + ttlMs) / binMs) * binMs;
    const bin = this.#bins.get(dueMs);
    if (bin !== undefined) {
      bin.index = Math.max(bin.index, index);
      return;
    }
    this.#bins.set(dueMs, { index, cancel: this.#options.clock.after(dueMs - nowMs, () => void this.#reap(dueMs)) });
  }

  async #reap(dueMs: number): Promise<void> {
    const bin = this.#bins.get(dueMs);
    if (bin === undefined) return;
    this.#bins.delete(dueMs);
    try {
      await this.#options.reap(bin.index);
    } catch (error) {
      // They go with the next bin.
      this.#options.warn('tombstones were not reaped', { index: bin.index, error: String(error) });
    }
  }
}
