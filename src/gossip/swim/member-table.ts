/**
 * Everybody this member knows of, itself included, and the order in which it probes them: a random order walked round
 * robin and shuffled after each pass, so that every member is probed within two passes at the latest (SWIM §4.3).
 */
import type { Random } from '../../std/random.ts';
import { isGone, type Peer } from './types.ts';

export class MemberTable {
  private readonly byName: Map<string, Peer>;
  /** Names in probe order. */
  private order: string[];
  private cursor = 0;
  private readonly random: Random;

  /** `known`: peers to start with, for a simulation that begins with a pool in place. */
  constructor(random: Random, known: Iterable<Peer> = []) {
    this.random = random;
    this.byName = new Map(Array.from(known, (peer) => [peer.name, peer]));
    this.order = random.shuffle([...this.byName.keys()]);
  }

  get size(): number {
    return this.byName.size;
  }

  get(name: string): Peer | undefined {
    return this.byName.get(name);
  }

  all(): IterableIterator<Peer> {
    return this.byName.values();
  }

  /** Inserts or replaces. A new member takes a random place in the order, so that joiners are not probed in a row. */
  set(peer: Peer): void {
    if (!this.byName.has(peer.name)) {
      this.order.push(peer.name);
      const last = this.order.length - 1;
      const other = this.random.int(0, last);
      [this.order[last], this.order[other]] = [this.order[other]!, this.order[last]!];
    }
    this.byName.set(peer.name, peer);
  }

  /** The next member in probe order that `wanted` accepts; undefined after one full pass without any. */
  nextToProbe(wanted: (peer: Peer) => boolean, endOfPass: () => void): Peer | undefined {
    for (let checked = 0; checked <= this.order.length; checked++) {
      if (this.cursor >= this.order.length) {
        endOfPass();
        this.order = this.random.shuffle(this.order);
        this.cursor = 0;
      }
      const name = this.order[this.cursor++];
      const peer = name === undefined ? undefined : this.byName.get(name);
      if (peer !== undefined && wanted(peer)) return peer;
    }
    return undefined;
  }

  /** Forgets members; gives how many. */
  purge(unwanted: (peer: Peer) => boolean): number {
    const before = this.byName.size;
    for (const peer of this.byName.values()) if (unwanted(peer)) this.byName.delete(peer.name);
    if (this.byName.size < before) this.order = this.order.filter((name) => this.byName.has(name));
    return before - this.byName.size;
  }

  /**
   * Up to `count` different random members that `wanted` accepts. Draws with replacement, three times the table at most;
   * small tables are shuffled and scanned, so that nobody is missed by chance.
   */
  pick(count: number, wanted: (peer: Peer) => boolean): Peer[] {
    const chosen: Peer[] = [];
    if (this.order.length <= 3 * count) {
      for (const name of this.random.shuffle(this.order)) {
        const peer = this.byName.get(name)!;
        if (chosen.length < count && wanted(peer)) chosen.push(peer);
      }
      return chosen;
    }
    for (let draws = 0; draws < 3 * this.order.length && chosen.length < count; draws++) {
      const peer = this.byName.get(this.order[this.random.int(0, this.order.length - 1)]!)!;
      if (wanted(peer) && !chosen.includes(peer)) chosen.push(peer);
    }
    return chosen;
  }

  /** Is anybody but `self` neither dead nor left? */
  anyOtherActive(self: string): boolean {
    for (const peer of this.byName.values()) if (peer.name !== self && !isGone(peer)) return true;
    return false;
  }

  countActive(): number {
    let count = 0;
    for (const peer of this.byName.values()) if (!isGone(peer)) count++;
    return count;
  }
}
