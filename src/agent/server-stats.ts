/** `/v1/agent/self` Stats of a server, all as text. */
import type { RaftStatus } from '../raft/index.ts';
import { interfaceVersion } from '../version.ts';
import type { AutopilotDuty } from './autopilot/autopilot-duty.ts';
import type { TopicCache } from './client/topic-cache.ts';
import type { AgentConfig } from './config/index.ts';
import type { Metrics } from './metrics.ts';
import type { Server } from './server/index.ts';
import type { Wan } from './wan.ts';

type Stats = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** `raft` is undefined while a new cluster is finding itself. */
export function serverStats(
  config: AgentConfig,
  raft: RaftStatus | undefined,
  pool: Readonly<Record<string, string>>,
  wan: Wan | undefined,
): Stats {
  return {
    build: { prerelease: '', revision: '', version: interfaceVersion },
    consul: {
      acl: config.aclsEnabled ? 'enabled' : 'disabled',
      bootstrap: String(config.bootstrap),
      known_datacenters: String(wan?.datacenters().length ?? 1),
      leader: String(raft?.role === 'leader'),
      leader_addr: raft?.configuration.addresses[raft.leaderId ?? ''] ?? '',
      server: 'true',
    },
    raft: raft === undefined ? {} : raftStats(raft),
    serf_lan: pool,
    ...(wan === undefined ? {} : { serf_wan: wan.pool.gossip.stats() }),
  };
}

function raftStats(raft: RaftStatus): Record<string, string> {
  return {
    applied_index: String(raft.appliedIndex),
    commit_index: String(raft.commitIndex),
    fsm_pending: String(raft.pendingProposals),
    last_contact: Number.isFinite(raft.lastContactMs) ? String(raft.lastContactMs) : 'never',
    last_log_index: String(raft.lastLogIndex),
    last_log_term: String(raft.lastLogTerm),
    last_snapshot_index: String(raft.checkpointIndex),
    last_snapshot_term: String(raft.checkpointIndex === 0 ? 0 : raft.lastLogTerm),
    latest_configuration: shownConfiguration(raft.configuration),
    latest_configuration_index: String(raft.configurationIndex),
    num_peers: String(raft.configuration.voters.length - 1),
    protocol_version: '3',
    protocol_version_max: '3',
    protocol_version_min: '0',
    snapshot_version_max: '1',
    snapshot_version_min: '0',
    state: raft.role === 'leader' ? 'Leader' : raft.role === 'candidate' ? 'Candidate' : 'Follower',
    term: String(raft.term),
  };
}

/** As the reference prints it: `[{Suffrage:Voter ID:… Address:…} …]`, voters first. */
export function shownConfiguration({ voters, learners, addresses }: RaftStatus['configuration']): string {
  const shown =
    (suffrage: string) =>
    (id: string): string =>
      `{Suffrage:${suffrage} ID:${id} Address:${addresses[id] ?? ''}}`;
  return `[${[...voters.map(shown('Voter')), ...learners.map(shown('Nonvoter'))].join(' ')}]`;
}

/** `topics`: what local watchers wait on, and how many of these show a last known state because no server keeps them current. */
export function clientStats(
  config: AgentConfig,
  knownServers: number,
  pool: Readonly<Record<string, string>>,
  topics: Pick<TopicCache, 'size' | 'broken'>,
): Stats {
  return {
    build: { prerelease: '', revision: '', version: interfaceVersion },
    client: { topics: String(topics.size), topics_stale: String(topics.broken) },
    consul: {
      acl: config.aclsEnabled ? 'enabled' : 'disabled',
      known_servers: String(knownServers),
      server: 'false',
    },
    serf_lan: pool,
  };
}

/** Gauges of what a client agent keeps current for its local watchers. */
export function addClientMetrics(metrics: Metrics, topics: Pick<TopicCache, 'size' | 'broken'>): void {
  metrics.gauge('client.topics', () => topics.size);
  metrics.gauge('client.topics_stale', () => topics.broken);
}

/** Gauges of a server's Raft and state, read when somebody asks for metrics. */
export function addServerMetrics(metrics: Metrics, server: Server, autopilot: AutopilotDuty): void {
  const status = () => server.raft.status();
  metrics.gauge('raft.applied_index', () => status().appliedIndex);
  metrics.gauge('raft.last_index', () => status().lastLogIndex);
  metrics.gauge('raft.commit_index', () => status().commitIndex);
  metrics.gauge('raft.peers', () => status().configuration.voters.length);
  metrics.gauge('raft.term', () => status().term);
  metrics.gauge('raft.pending_proposals', () => status().pendingProposals);
  metrics.gauge('server.isLeader', () => (status().role === 'leader' ? 1 : 0));
  metrics.gauge('autopilot.healthy', () => (autopilot.health().Healthy ? 1 : 0));
  metrics.gauge('autopilot.failure_tolerance', () => autopilot.health().FailureTolerance);
  metrics.gauge('rpc.queries_blocking', () => server.state.store.waiting);
}
