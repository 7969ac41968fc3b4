/** Who wants to hear of which event of a member. */
import type { GossipEvents, Logger } from './api.ts';
import type { Counters } from './metrics.ts';

type Callback = (value: never) => void;

export class Callbacks {
  private readonly edges: { readonly counters: Counters; readonly logger: Logger };
  private readonly byEvent = new Map<keyof GossipEvents, Set<Callback>>();

  constructor(edges: { readonly counters: Counters; readonly logger: Logger }) {
    this.edges = edges;
  }

  /** Until the returned function is called. */
  on<K extends keyof GossipEvents>(event: K, callback: (value: GossipEvents[K]) => void): () => void {
    const callbacks = this.byEvent.get(event) ?? new Set();
    this.byEvent.set(event, callbacks);
    callbacks.add(callback as Callback);
    return () => void callbacks.delete(callback as Callback);
  }

  /** A callback that throws is the application's bug: it is logged and counted, and the others still hear. */
  emit<K extends keyof GossipEvents>(event: K, value: GossipEvents[K]): void {
    for (const callback of this.byEvent.get(event) ?? []) {
      try {
        (callback as (value: GossipEvents[K]) => void)(value);
      } catch (error) {
        this.edges.counters.add('internalFailures');
        this.edges.logger.error({ event, error: String(error) }, 'a callback of a gossip event failed');
      }
    }
  }
}
