/** The parts that look after an agent's own services: state, checks, registrations, and their copy in the catalog. */
import { randomUUID } from 'node:crypto';
import { seededRandom } from '../std/random.ts';
import { systemClock } from './clock.ts';
import type { Cluster } from './cluster.ts';
import type { AgentConfig } from './config/index.ts';
import { AntiEntropy } from './local/anti-entropy.ts';
import type { NodeInfo, SyncTokens } from './local/catalog-writer.ts';
import { CentralConfig } from './local/central-config.ts';
import type { RegistryTuning } from './local/check-runners.ts';
import type { NodeChecks } from './local/checks/alias.ts';
import { Persistence } from './local/persistence.ts';
import { Registry } from './local/registry.ts';
import type { LocalState } from './local/state.ts';
import type { Logger } from './log.ts';
import { Registrations } from './registrations.ts';
import { sidecarAddress } from './sidecars.ts';

export interface LocalInput {
  /** Changes with a reload. */
  readonly config: () => AgentConfig;
  readonly nodeId: string;
  readonly dataDir: string;
  readonly tuning: RegistryTuning;
  readonly state: LocalState;
  readonly cluster: Cluster;
  readonly log: Logger;
}

export interface LocalParts {
  readonly registry: Registry;
  readonly sync: AntiEntropy;
  /** Undefined where it is switched off. */
  readonly central: CentralConfig | undefined;
  readonly registrations: Registrations;
}

export function buildLocal(input: LocalInput): LocalParts {
  const { state, cluster, log, tuning } = input;
  const config = input.config();
  const chance = seededRandom(randomUUID()).stream('agent').next;
  const persistence = new Persistence(input.dataDir, (message, fields) => log.warn(message, fields));
  const registry = new Registry(
    {
      node: config.nodeName,
      scriptsFromApi: config.scriptsFromApi,
      scriptsFromFiles: config.scriptsFromFiles,
      sidecarPortMin: config.settings.ports.sidecar_min_port,
      sidecarPortMax: config.settings.ports.sidecar_max_port,
      dockerHost: process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock',
    },
    tuning,
    {
      state,
      persistence,
      clock: systemClock,
      chance,
      nodeChecks: nodeChecks(input),
      log,
    },
  );
  const sync = new AntiEntropy({
    state,
    backend: cluster.backend,
    clock: systemClock,
    chance,
    node: () => nodeInfo(input.config(), input.nodeId),
    tokens: () => tokensOf(input.config()),
    checkUpdateIntervalMs: () => tuning.checkUpdateIntervalMs,
    members: () => cluster.members('lan')?.length ?? 1,
    log,
  });
  const central = config.settings.enable_central_service_config
    ? new CentralConfig({
        ...{ state, persistence, backend: cluster.backend, clock: systemClock, log },
        tokenOf: (own) => (own === '' ? tokensOf(input.config()).default : own),
      })
    : undefined;
  const parts = { registry, sync, central, node: config.nodeName, bindAddress: sidecarAddress(config) };
  return { registry, sync, central, registrations: new Registrations(parts) };
}

function nodeInfo(config: AgentConfig, nodeId: string): NodeInfo {
  return {
    id: nodeId,
    node: config.nodeName,
    address: config.advertiseAddress,
    taggedAddresses: config.taggedAddresses,
    meta: nodeMetaOf(config),
  };
}

/** The node's metadata as the catalog shows it. */
export function nodeMetaOf(config: AgentConfig): Readonly<Record<string, string>> {
  return { ...config.settings.node_meta, 'consul-network-segment': '' };
}

export function tokensOf(config: AgentConfig): SyncTokens {
  const { acl, acl_token: old, acl_agent_token: oldAgent } = config.settings;
  return { default: acl.tokens.default || old, agent: acl.tokens.agent || oldAgent };
}

/** What an alias of another node reads: the node's checks (blocking), and which services it has. */
function nodeChecks({ config, cluster }: LocalInput): NodeChecks {
  return async (node, index, signal) => {
    const caller = { token: tokensOf(config()).default, address: '', call: 'alias check', datacenter: '' };
    const options = { caller, consistency: 'stale', minIndex: index, signal } as const;
    const checks = await cluster.backend.query('health.node', { node }, options);
    const services = await cluster.backend.query('catalog.node', { node }, { caller, consistency: 'stale' });
    const ids = new Set((services.value?.Services ?? []).map((service) => service.ID));
    return { checks: checks.value, services: ids, index: checks.index };
  };
}
