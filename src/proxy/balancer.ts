/**
 * Which instance gets the next connection. Power of two choices: draw two (weighted), take the one with fewer open
 * connections for its weight. It is within a constant of the best possible spread, needs no lock-step between proxies, and
 * avoids the herd that "the least loaded of all" makes when many proxies see the same list.
 *
 * An instance that could not be dialled is passed over for a while, since its health check may be seconds behind; when all
 * are in that state they are all tried again.
 */
import type { Clock } from '../std/clock.ts';
import type { Chance } from './clock.ts';
import type { Endpoint } from './snapshot.ts';

/** First pause after a failed dial; it doubles with each further failure. */
const pauseMsMin = 1_000;
const pauseMsMax = 30_000;

interface Slot {
  endpoint: Endpoint;
  open: number;
  failures: number;
  pausedUntilMs: number;
}

export class Balancer {
  readonly #clock: Clock;
  readonly #chance: Chance;
  #slots: readonly Slot[] = [];

  constructor(clock: Clock, chance: Chance) {
    this.#clock = clock;
    this.#chance = chance;
  }

  get size(): number {
    return this.#slots.length;
  }

  /** Instances that stay keep their counts; open connections to ones that leave are not touched. */
  setEndpoints(endpoints: readonly Endpoint[]): void {
    const known = new Map(this.#slots.map((slot) => [slot.endpoint.id, slot]));
    this.#slots = endpoints.map((endpoint) => {
      const slot = known.get(endpoint.id);
      const same = slot?.endpoint.address === endpoint.address && slot.endpoint.port === endpoint.port;
      if (slot === undefined || !same) return { endpoint, open: 0, failures: 0, pausedUntilMs: 0 };
      slot.endpoint = endpoint;
      return slot;
    });
  }

  /** The next instance to try, or null when all in `tried` is all there is. */
  pick(tried: ReadonlySet<string>): Pick | null {
    const left = this.#slots.filter((slot) => !tried.has(slot.endpoint.id));
    const nowMs = this.#clock.monotonicMs();
    const ready = left.filter((slot) => slot.pausedUntilMs <= nowMs);
    const slot = this.#better(ready.length > 0 ? ready : left);
    return slot === undefined ? null : this.#take(slot);
  }

  #better(slots: readonly Slot[]): Slot | undefined {
    const first = this.#draw(slots);
    if (first === undefined || slots.length === 1) return first;
    const second = this.#draw(slots.filter((slot) => slot !== first));
    if (second === undefined) return first;
    return second.open / second.endpoint.weight < first.open / first.endpoint.weight ? second : first;
  }

  #draw(slots: readonly Slot[]): Slot | undefined {
    let point = this.#chance() * slots.reduce((sum, slot) => sum + slot.endpoint.weight, 0);
    for (const slot of slots) {
      point -= slot.endpoint.weight;
      if (point < 0) return slot;
    }
    return slots.at(-1);
  }

  #take(slot: Slot): Pick {
    slot.open += 1;
    let released = false;
    return {
      endpoint: slot.endpoint,
      connected: () => {
        slot.failures = 0;
        slot.pausedUntilMs = 0;
      },
      failed: () => {
        slot.failures += 1;
        const pauseMs = Math.min(pauseMsMax, pauseMsMin * 2 ** (slot.failures - 1));
        slot.pausedUntilMs = this.#clock.monotonicMs() + pauseMs;
      },
      release: () => {
        if (!released) slot.open -= 1;
        released = true;
      },
    };
  }
}

/** One connection's hold on an instance. `release` exactly when the connection, or the attempt, is over. */
export interface Pick {
  readonly endpoint: Endpoint;
  connected(): void;
  failed(): void;
  release(): void;
}
