/**
 * Scripted adversaries. Some states are so rare that faults drawn blindly do not reach them in a night; a script knows the way: it
 * looks at the servers, waits for a moment, and cuts, holds or mends links, crashes, asks for a change. It uses only what a
 * network and a power cord could do. Delays, clients and the moments themselves still come from the seed.
 *
 * A script is a generator that yields what it waits for. It is asked after every event, and begins anew when it waits too long.
 */

import type { SimServer } from '../server.ts';
import type { Swarm } from '../swarm.ts';
import type { World } from '../world.ts';

export type Waiting = Generator<() => boolean, void, void>;

export interface Script {
  /** The cluster, clients and settings that it needs. */
  readonly adjust: (swarm: Swarm) => Swarm;
  readonly run: (stage: Stage) => Waiting;
}

/** What a script may see and do. */
export class Stage {
  readonly world: World;
  readonly #cut = new Set<string>();
  readonly #held = new Set<string>();

  constructor(world: World) {
    this.world = world;
  }

  /** The server that leads, with an entry of its own term committed. */
  get leader(): SimServer | undefined {
    return this.world.servers.find(({ node }) => {
      const state = node?.core.state;
      return state?.leadership !== undefined && state.commitIndex >= state.leadership.firstIndex;
    });
  }

  voters(leader: SimServer): SimServer[] {
    const { voters } = leader.node!.core.state.membership.latest;
    return this.world.servers.filter((server) => server !== leader && voters.includes(server.id));
  }

  /** Messages pass within each group and nowhere else. */
  groups(...groups: readonly (readonly SimServer[])[]): void {
    const together = (from: SimServer, to: SimServer): boolean =>
      groups.some((group) => group.includes(from) && group.includes(to));
    this.links(together);
  }

  links(passes: (from: SimServer, to: SimServer) => boolean): void {
    const { servers, network } = this.world;
    const links: string[] = [];
    for (const from of servers) {
      for (const to of servers) {
        if (from === to) continue;
        const link = `${from.id}>${to.id}`;
        const cut = !passes(from, to);
        if (cut && !this.#cut.has(link)) {
          this.#cut.add(link);
          links.push(link);
          network.cut(from.id, to.id);
        } else if (!cut && this.#cut.delete(link)) network.mend(from.id, to.id);
      }
    }
    if (links.length > 0) this.world.note('--', `the scene cuts ${links.join(' ')}`);
  }

  /** What is sent on this link arrives when it is released. */
  hold(from: SimServer, to: SimServer): void {
    this.world.note('--', `the scene holds ${from.id}>${to.id}`);
    this.#held.add(`${from.id}>${to.id}`);
    this.world.network.hold(from.id, to.id);
  }

  release(): void {
    if (this.#held.size > 0) this.world.note('--', `the scene lets pass what was held: ${[...this.#held].join(' ')}`);
    for (const link of this.#held) this.world.network.release(...(link.split('>') as [string, string]));
    this.#held.clear();
  }

  /** The kernels of these servers tell that their connections to a server broke. */
  breakConnections(to: SimServer, of: readonly SimServer[]): void {
    for (const server of of) server.arrive((handlers) => handlers.peerBroken(to.id));
  }

  mend(): void {
    this.world.writersRest = false;
    this.world.readersRest = false;
    this.links(() => true);
    this.release();
  }
}

/** A scene that does not come about within this time is begun anew, ms. */
const patienceMs = 3_000;

export class Director {
  readonly #script: Script;
  readonly #stage: Stage;
  #run: Waiting | undefined;
  #condition: () => boolean = () => true;
  #sinceMs = 0;

  constructor(script: Script, world: World) {
    this.#script = script;
    this.#stage = new Stage(world);
  }

  /** After every event. */
  look(): void {
    const { time } = this.#stage.world;
    if (this.#run !== undefined && time.nowMs - this.#sinceMs > patienceMs) {
      this.#stage.mend();
      this.#run = undefined;
    }
    if (this.#run === undefined) {
      this.#run = this.#script.run(this.#stage);
      this.#next();
    }
    while (this.#run !== undefined && this.#condition()) this.#next();
  }

  #next(): void {
    this.#sinceMs = this.#stage.world.time.nowMs;
    const { done, value } = this.#run!.next();
    if (done === true) {
      this.#stage.mend();
      this.#stage.world.mark('script: played to its end');
      this.#run = undefined;
      this.#condition = () => false;
    } else this.#condition = value;
  }
}
