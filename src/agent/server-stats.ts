/** `/v1/agent/self` Stats of a server, all as text. */
import type { RaftStatus } from '../raft/index.ts';
import { interfaceVersion } from '../version.ts';
import type { AgentConfig } from './config/index.ts';

export function serverStats(
  config: AgentConfig,
  raft: RaftStatus,
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const others = raft.configuration.voters.length - 1;
  return {
    build: { prerelease: '', revision: '', version: interfaceVersion },
    consul: {
      acl: config.aclsEnabled ? 'enabled' : 'disabled',
      bootstrap: String(config.bootstrap),
      known_datacenters: '1',
      leader: String(raft.role === 'leader'),
      leader_addr: raft.configuration.addresses[raft.leaderId ?? ''] ?? '',
      server: 'true',
    },
    raft: {
      applied_index: String(raft.appliedIndex),
      commit_index: String(raft.commitIndex),
      fsm_pending: String(raft.pendingProposals),
      last_contact: Number.isFinite(raft.lastContactMs) ? String(raft.lastContactMs) : 'never',
      last_log_index: String(raft.lastLogIndex),
      last_log_term: String(raft.lastLogTerm),
      last_snapshot_index: String(raft.checkpointIndex),
      last_snapshot_term: String(raft.checkpointIndex === 0 ? 0 : raft.lastLogTerm),
      latest_configuration: JSON.stringify(raft.configuration.addresses),
      latest_configuration_index: String(raft.configurationIndex),
      num_peers: String(others),
      protocol_version: '3',
      protocol_version_max: '3',
      protocol_version_min: '0',
      snapshot_version_max: '1',
      snapshot_version_min: '0',
      state: raft.role === 'leader' ? 'Leader' : raft.role === 'candidate' ? 'Candidate' : 'Follower',
      term: String(raft.term),
    },
    serf_lan: poolStats(config),
    serf_wan: poolStats(config),
  };
}

function poolStats(config: AgentConfig): Record<string, string> {
  return {
    coordinate_resets: '0',
    encrypted: String(config.settings.encrypt !== ''),
    event_queue: '0',
    event_time: '1',
    failed: '0',
    health_score: '0',
    intent_queue: '0',
    left: '0',
    member_time: '1',
    members: '1',
    query_queue: '0',
    query_time: '1',
  };
}
