/**
 * Tells the servers where this agent stands in the space of round-trip times. Rarely in a large pool: all agents together
 * send at most 64 updates a second.
 */

import type { Clock } from '../std/clock.ts';
import type { Coordinate } from '../structs/index.ts';

export interface CoordinateSenderEdges {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly chance: () => number;
  /** How many members the pool has. */
  readonly members: () => number;
  readonly coordinate: () => Coordinate;
  readonly send: (coordinate: Coordinate) => Promise<unknown>;
  readonly failed: (error: unknown) => void;
}

const periodMinMs = 15_000;
const updatesPerSecondMax = 64;

export class CoordinateSender {
  readonly #edges: CoordinateSenderEdges;
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(edges: CoordinateSenderEdges) {
    this.#edges = edges;
    this.#plan();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #plan(): void {
    if (this.#stopped) return;
    const { clock, chance, members } = this.#edges;
    const periodMs = Math.max(periodMinMs, (members() / updatesPerSecondMax) * 1_000);
    this.#cancel = clock.after(periodMs + chance() * periodMs, () => void this.#send());
  }

  async #send(): Promise<void> {
    const { coordinate, send, failed } = this.#edges;
    try {
      await send(coordinate());
    } catch (error) {
      // The next one says the same, and better.
      failed(error);
    }
    this.#plan();
  }
}
