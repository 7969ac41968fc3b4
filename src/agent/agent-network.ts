/** The network between agents of one process, where a test wants to cut it. Absent, agents speak over plain sockets. */
import type { Transport as GossipTransport } from '../gossip/index.ts';
import type { Transport as RaftTransport } from '../raft/index.ts';

export interface AgentNetwork {
  /** Sockets of the node's gossip. */
  gossip(nodeId: string): GossipTransport;
  /** The node's Raft transport, over the real one. */
  raft(nodeId: string, real: RaftTransport): RaftTransport;
  /** Whether a request of one node to another arrives. */
  reaches(fromId: string, toId: string): boolean;
}
