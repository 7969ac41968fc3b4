/** Coordinates that nodes report, written together every five seconds: one entry a batch instead of one a node. */
import type { Clock } from '../../../std/clock.ts';
import type { NodeCoordinate } from '../../../structs/index.ts';

const periodMs = 5_000;
const batchMax = 128;
const batchesMax = 5;

export interface CoordinateBatchOptions {
  readonly clock: Clock;
  write(updates: readonly NodeCoordinate[]): Promise<unknown>;
  warn(message: string, fields: Record<string, unknown>): void;
}

export class CoordinateBatch {
  readonly #options: CoordinateBatchOptions;
  /** The newest of each node and segment. */
  readonly #pending = new Map<string, NodeCoordinate>();
  #cancel: (() => void) | undefined;

  constructor(options: CoordinateBatchOptions) {
    this.#options = options;
  }

  add(update: NodeCoordinate): void {
    this.#pending.set(`${update.Node.toLowerCase()}\x00${update.Segment}`, update);
    this.#cancel ??= this.#options.clock.after(periodMs, () => void this.#flush());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#pending.clear();
  }

  async #flush(): Promise<void> {
    this.#cancel = undefined;
    const updates = [...this.#pending.values()];
    this.#pending.clear();
    const kept = updates.slice(0, batchMax * batchesMax);
    if (kept.length < updates.length) {
      this.#options.warn('Discarded coordinate updates', { count: updates.length - kept.length });
    }
    try {
      for (let at = 0; at < kept.length; at += batchMax) await this.#options.write(kept.slice(at, at + batchMax));
    } catch (error) {
      // Nodes report again within seconds.
      this.#options.warn('coordinates were not written', { count: kept.length, error: String(error) });
    }
  }
}
