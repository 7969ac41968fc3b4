/** Serf's three broadcast queues, in the order in which they ride on packets: intents, queries, user events. */
import type { GossipConfig } from '../config.ts';
import { BroadcastQueue } from '../swim/broadcast-queue.ts';
import type { Endpoint } from '../swim/types.ts';

export type QueueName = 'intents' | 'queries' | 'events';

const order: readonly QueueName[] = ['intents', 'queries', 'events'];

export class SerfQueues {
  private readonly queues: Readonly<Record<QueueName, BroadcastQueue>>;

  /** `audience`: see BroadcastQueue. */
  constructor(config: GossipConfig, members: () => number, finished: (token: string) => void, audience: () => number) {
    const queue = (): BroadcastQueue => new BroadcastQueue(config.retransmitMult, members, finished, audience);
    this.queues = { intents: queue(), queries: queue(), events: queue() };
  }

  add(which: QueueName, message: Uint8Array, token: string | undefined, heardFrom: Endpoint | undefined): void {
    this.queues[which].add(message, { token, heardFrom });
  }

  get any(): boolean {
    return order.some((name) => this.queues[name].length > 0);
  }

  lengthOf(which: QueueName): number {
    return this.queues[which].length;
  }

  /** What fits into the bytes left in a packet to `to`. */
  drain(bytes: number, overhead: number, parts: number, to: Endpoint): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let free = bytes;
    for (const name of order) {
      const some = this.queues[name].drain(free, overhead, parts - taken.length, to);
      for (const message of some) free -= message.length + overhead;
      taken.push(...some);
    }
    return taken;
  }

  /** Cuts queues that grew too long; gives how many messages were dropped. */
  prune(config: GossipConfig, members: number): number {
    const { queueDepthMin, queueDepthMax } = config;
    const max = queueDepthMin > 0 ? Math.max(queueDepthMin, 2 * members) : queueDepthMax;
    return order.reduce((dropped, name) => dropped + this.queues[name].prune(max), 0);
  }
}
