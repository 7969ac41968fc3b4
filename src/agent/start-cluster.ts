/** What an agent is in its cluster: a server, or a client of the servers. */
import type { Cluster, ClusterInput } from './cluster.ts';

/** Loads only what this kind of agent runs: a client needs no Raft and no database. */
export async function startCluster(input: ClusterInput): Promise<Cluster> {
  if (input.config.server) return (await import('./server-cluster.ts')).ServerCluster.start(input);
  return (await import('./client-cluster.ts')).ClientCluster.start(input);
}
