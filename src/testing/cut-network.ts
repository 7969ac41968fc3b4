/**
 * A network that can be cut: real sockets on loopback between agents of one process, with a gate in front. Whoever stands on
 * another side of a partition is not heard, in either direction, as with a firewall that drops.
 */
import type { AgentNetwork } from '../agent/index.ts';
import type { Endpoint, Transport as GossipTransport } from '../gossip/index.ts';
import { GossipError, SocketTransport } from '../gossip/index.ts';
import type { Transport as RaftTransport } from '../raft/index.ts';

export class CutNetwork implements AgentNetwork {
  /** Gossip's address of each node. */
  readonly #nodes = new Map<string, string>();
  /** The side on which a node stands; those without one stand together. */
  readonly #sides = new Map<string, number>();

  /** Each group hears itself alone; nodes that are in none stand together. */
  partition(groups: readonly (readonly string[])[]): void {
    this.#sides.clear();
    for (const [side, group] of groups.entries()) for (const node of group) this.#sides.set(node, side);
  }

  heal(): void {
    this.#sides.clear();
  }

  reaches(from: string, to: string): boolean {
    return this.#sides.get(from) === this.#sides.get(to);
  }

  gossip(nodeId: string): GossipTransport {
    const real = new SocketTransport();
    const isCut = (to: Endpoint): boolean => {
      const other = this.#nodes.get(`${to.address}:${to.port}`);
      return other !== undefined && !this.reaches(nodeId, other);
    };
    return {
      listen: async (bind, handlers) => {
        const bound = await real.listen(bind, handlers);
        this.#nodes.set(`${bound.address}:${bound.port}`, nodeId);
        return bound;
      },
      send: (bytes, to, failed) => {
        if (!isCut(to)) real.send(bytes, to, failed);
      },
      dial: async (to, timeoutMs) => {
        if (isCut(to)) throw new GossipError('not-reachable', 'the network is cut');
        return real.dial(to, timeoutMs);
      },
      close: () => real.close(),
    };
  }

  raft(nodeId: string, real: RaftTransport): RaftTransport {
    return {
      start: (handlers) => real.start(handlers),
      setPeers: (addresses) => real.setPeers(addresses),
      send: (message) => {
        if (this.reaches(nodeId, message.to)) real.send(message);
      },
      sendCheckpoint: async (offer, read) => {
        if (!this.reaches(nodeId, offer.to)) throw new Error('the network is cut');
        return real.sendCheckpoint(offer, read);
      },
      stop: () => real.stop(),
    };
  }
}
