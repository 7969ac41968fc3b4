/**
 * What an agent needs of the cluster it belongs to: the server that runs in this process, or, for a client, its connection
 * to the servers. The agent composes; it does not know which of the two it holds.
 */
import type { Backend, Snapshots } from '../api/backend.ts';
import type { Route } from '../api/http/index.ts';
import type { Keyring } from '../api/keyring.ts';
import type { Member } from '../api/local-agent.ts';
import type { Coordinate } from '../structs/index.ts';
import type { AgentNetwork } from './agent-network.ts';
import type { AgentConfig } from './config/index.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { EventTransport } from './user-events.ts';

export interface Cluster {
  readonly backend: Backend;
  readonly snapshots: Snapshots;
  /** Routes that only this kind of cluster has (identities: `/v1/connect/ca`, `/v1/agent/connect`). */
  readonly routes: readonly Route[];
  /** How user events reach the other members; absent: there is no pool, an agent hears its own alone. */
  readonly events?: EventTransport;
  /** Where this agent stands in the space of round-trip times; absent: there is no pool. */
  readonly coordinate?: () => Coordinate;
  /** The keys of its pool; absent: there is no pool. */
  readonly keyring?: Keyring;
  /** Resolves when there is a leader that takes writes. */
  ready(): Promise<void>;
  /** `null`: there is no such pool here. */
  members(pool: 'lan' | 'wan'): readonly Member[] | null;
  join(address: string, pool: 'lan' | 'wan'): Promise<void>;
  forceLeave(node: string, options: { readonly prune: boolean; readonly wan: boolean }): Promise<void>;
  /** Says goodbye to the others; afterwards only `stop` makes sense. */
  leave(): Promise<void>;
  /** Ends everything it runs. The state on disk stays good. */
  stop(): Promise<void>;
  /** `/v1/agent/self` Stats, by section. */
  stats(): Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Resolves with the reason when it cannot go on (a disk that failed). */
  readonly failed: Promise<Error>;
}

export interface ClusterInput {
  readonly config: AgentConfig;
  readonly nodeId: string;
  readonly dataDir: string;
  readonly anyPorts: boolean;
  readonly network?: AgentNetwork;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly nodeMeta: () => Readonly<Record<string, string>>;
}
export type StartCluster = (input: ClusterInput) => Promise<Cluster>;
