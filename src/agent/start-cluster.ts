/** Chooses what an agent is in its cluster. */
import type { Cluster, ClusterInput } from './cluster.ts';
import { ConfigError } from './config/index.ts';
import { SingleServer } from './single-server.ts';

/** Throws a ConfigError for what this version cannot be. */
export async function startCluster(input: ClusterInput): Promise<Cluster> {
  const { server, bootstrap, dev } = input.config;
  if (server && (bootstrap || dev)) return SingleServer.start(input);
  throw new ConfigError(
    'this version runs as one server: start it with -dev, or with -server and -bootstrap-expect=1 (client agents and clusters of several servers come with a later version)',
  );
}
