/**
 * The simulated network: packets take a random time and get lost at times, streams are reliable but need both sides
 * reachable. Partitions cut both.
 */
import type { Random } from '../../src/std/random.ts';
import type { EventQueue } from './event-queue.ts';

export interface NetworkOptions {
  /** Share of UDP packets that vanish. */
  readonly loss: number;
  readonly latencyMsMin: number;
  readonly latencyMsMax: number;
}

export class SimNetwork {
  options: NetworkOptions;
  packetsSent = 0;
  bytesSent = 0;
  private readonly queue: EventQueue;
  private readonly lossRandom: Random;
  private readonly latencyRandom: Random;
  /** Side of each member while the network is split; empty when it is whole. */
  private sides = new Map<number, number>();

  constructor(options: NetworkOptions, queue: EventQueue, random: Random) {
    this.options = options;
    this.queue = queue;
    this.lossRandom = random.stream('loss');
    this.latencyRandom = random.stream('latency');
  }

  partition(group: Iterable<number>): void {
    for (const member of group) this.sides.set(member, 1);
  }

  heal(): void {
    this.sides = new Map();
  }

  connected(from: number, to: number): boolean {
    return (this.sides.get(from) ?? 0) === (this.sides.get(to) ?? 0);
  }

  packet(from: number, to: number, bytes: number, deliver: () => void): void {
    this.packetsSent++;
    this.bytesSent += bytes;
    const lost = this.lossRandom.chance(this.options.loss);
    if (lost || !this.connected(from, to)) return;
    this.queue.at(this.queue.nowMs + this.latency(), deliver);
  }

  /** A leg of a stream; false when it cannot get through now. */
  stream(from: number, to: number, deliver: () => void): boolean {
    if (!this.connected(from, to)) return false;
    this.queue.at(this.queue.nowMs + this.latency(), deliver);
    return true;
  }

  private latency(): number {
    const { latencyMsMin, latencyMsMax } = this.options;
    return latencyMsMin + this.latencyRandom.next() * (latencyMsMax - latencyMsMin);
  }
}
