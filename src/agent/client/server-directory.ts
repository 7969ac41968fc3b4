/**
 * Which server a client agent asks. The pool says who there is; one is preferred until it fails or its time is over, so that
 * a few connections stay warm and the load of many agents spreads over all servers again after an outage.
 */
import type { Clock } from '../../std/clock.ts';
import type { Random } from '../../std/random.ts';

export interface KnownServer {
  readonly id: string;
  readonly name: string;
  /** `host:port` of its RPC. */
  readonly address: string;
}

/** Every agent changes its server about this often; the spread keeps a thousand from changing together. */
const rebalanceMs = { min: 120_000, max: 180_000 };

export class ServerDirectory {
  readonly #servers: () => readonly KnownServer[];
  readonly #clock: Clock;
  readonly #random: Random;
  /** Order in which servers are asked; the first is preferred. */
  #order: string[] = [];
  #rebalanceAtMs = 0;

  constructor(servers: () => readonly KnownServer[], edges: { readonly clock: Clock; readonly random: Random }) {
    this.#servers = servers;
    this.#clock = edges.clock;
    this.#random = edges.random;
  }

  known(): readonly KnownServer[] {
    return this.#servers();
  }

  /** Servers in the order in which to ask them; empty when none is known. */
  candidates(): readonly KnownServer[] {
    const known = this.#servers();
    const now = this.#clock.monotonicMs();
    if (now >= this.#rebalanceAtMs) {
      this.#order = [];
      this.#rebalanceAtMs = now + this.#random.int(rebalanceMs.min, rebalanceMs.max);
    }
    const present = new Set(known.map(({ id }) => id));
    const kept = this.#order.filter((id) => present.has(id));
    const fresh = this.#random.shuffle(known.map(({ id }) => id).filter((id) => !kept.includes(id)));
    this.#order = [...kept, ...fresh];
    return this.#order.map((id) => known.find((server) => server.id === id)!);
  }

  /** Until the order is drawn anew, ms. */
  untilRebalanceMs(): number {
    return Math.max(0, this.#rebalanceAtMs - this.#clock.monotonicMs());
  }

  /** This server did not answer: the others come first. */
  failed(id: string): void {
    if (this.#order.includes(id)) this.#order = [...this.#order.filter((each) => each !== id), id];
  }
}
