/**
 * Keeps the servers of one datacenter together in the WAN pool: whoever is a server in the LAN pool is joined over the WAN as
 * well, at the port that its tags name. So an operator joins one server of each datacenter, and all of them meet.
 */
import type { Clock } from '../../std/clock.ts';
import { type ServerMember, wanName } from './tags.ts';

/** Those that could not be reached are tried again this often. */
const passMs = 60_000;

export interface WanFloodEdges {
  readonly clock: Clock;
  /** Servers of this datacenter that the LAN pool holds for alive. */
  servers(): readonly ServerMember[];
  onLanChange(callback: () => void): () => void;
  /** Whether the WAN pool has a member of this name that is not gone. */
  knows(wanName: string): boolean;
  join(address: string): Promise<unknown>;
  debug(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export class WanFlood {
  readonly #edges: WanFloodEdges;
  readonly #ownName: string;
  /** Tried since the last pass. */
  readonly #tried = new Set<string>();
  #cancels: (() => void)[] = [];
  #stopped = false;

  constructor(ownName: string, edges: WanFloodEdges) {
    this.#ownName = ownName;
    this.#edges = edges;
  }

  start(): void {
    const { clock, onLanChange } = this.#edges;
    const plan = (): void => {
      this.#tried.clear();
      this.#look();
      this.#cancels[0] = clock.after(passMs, plan);
    };
    plan();
    this.#cancels.push(onLanChange(() => this.#look()));
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  #look(): void {
    const servers = this.#edges.servers();
    const present = new Set(servers.map(({ name }) => name));
    // Who comes back is a newcomer.
    for (const name of this.#tried) if (!present.has(name)) this.#tried.delete(name);
    for (const server of servers) this.#consider(server);
  }

  #consider({ name, datacenter, address, wanJoinPort }: ServerMember): void {
    const there = wanName(name, datacenter);
    if (this.#stopped || name === this.#ownName || wanJoinPort === undefined) return;
    if (this.#tried.has(name) || this.#edges.knows(there)) return;
    this.#tried.add(name);
    const at = `${there}/${address.includes(':') ? `[${address}]` : address}:${wanJoinPort}`;
    this.#edges.join(at).catch((error: unknown) => {
      this.#edges.debug('a server of this datacenter could not be joined over the WAN', { at, error: String(error) });
    });
  }
}
