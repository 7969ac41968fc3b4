/** The invariants at work on one run: each is told what happens at each server, and the first one that does not hold ends the run. */
import { invariants } from '../invariants/index.ts';
import { Violation, type Watch, type Watched } from '../invariants/invariant.ts';
import type { SimServer } from './server.ts';

export class Judges {
  /** The first that was found. */
  violation: Violation | undefined;
  readonly #watches: readonly Watch[] = invariants.map((invariant) => invariant.create());
  readonly #views: ReadonlyMap<SimServer, Watched>;
  readonly #all: readonly Watched[];
  readonly #touched = new Set<SimServer>();

  constructor(servers: readonly SimServer[]) {
    this.#views = new Map(servers.map((server) => [server, watchedView(server)]));
    this.#all = [...this.#views.values()];
    for (const server of servers) {
      server.mirror.onEntry = (index, entry) => this.tell(server, (watch, view) => watch.durable?.(view, index, entry));
      server.mirror.onHardState = (before, now) =>
        this.tell(server, (watch, view) => watch.hardState?.(view, before, now));
    }
  }

  /** A violation found in the middle of a server's own code must not be caught there: it is kept, and ends the run. */
  tell(server: SimServer, call: (watch: Watch, view: Watched) => void): void {
    const view = this.#views.get(server)!;
    this.tellAll((watch) => call(watch, view));
  }

  /** What concerns no one server. */
  tellAll(call: (watch: Watch) => void): void {
    for (const watch of this.#watches) {
      try {
        call(watch);
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        this.violation ??= error;
      }
    }
  }

  /** Something happened at this server: it is looked at when the event is over. */
  touch(server: SimServer): void {
    this.#touched.add(server);
  }

  fail(invariant: string, message: string): void {
    this.violation ??= new Violation(invariant, message);
  }

  /** After every event. Throws the violation that was found. */
  judge(): void {
    if (this.violation !== undefined) throw this.violation;
    for (const server of this.#touched) {
      const view = this.#views.get(server)!;
      for (const watch of this.#watches) watch.step?.(view, this.#all);
    }
    this.#touched.clear();
  }
}

function watchedView(server: SimServer): Watched {
  return {
    id: server.id,
    get state() {
      return server.node?.core.state;
    },
    get mirror() {
      return server.mirror;
    },
    lostMirrors: server.lostMirrors,
    get machineIndex() {
      return server.machine.appliedIndex;
    },
  };
}
