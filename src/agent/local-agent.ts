/** The agent as its HTTP routes see it: the local state, the pool, the log, the process's own life. */
import type { Caller } from '../api/backend.ts';
import type { LocalAgent, LogLevel, Member } from '../api/local-agent.ts';
import {
  type AgentService,
  type CheckRegistration,
  type HealthCheck,
  isProxyKind,
  type NodeService,
  type ServiceRegistration,
} from '../structs/index.ts';
import type { Cluster } from './cluster.ts';
import type { AgentConfig } from './config/index.ts';
import { hostDocument } from './host-info.ts';
import { LocalError } from './local/errors.ts';
import type { Registry } from './local/registry.ts';
import type { LogHub } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Registrations } from './registrations.ts';
import { selfDocument } from './self.ts';

export interface LocalAgentParts {
  /** Changes with a reload. */
  readonly config: () => AgentConfig;
  readonly nodeId: string;
  readonly dataDir: string;
  readonly registry: Registry;
  readonly registrations: Registrations;
  readonly cluster: Cluster;
  readonly hub: LogHub;
  readonly metrics: Metrics;
  readonly nodeMeta: () => Readonly<Record<string, string>>;
  /** Reads the configuration again. Throws with the reason when it cannot be used. */
  readonly reload: () => Promise<void>;
  /** Leaves the cluster; the process ends when the answer is out. */
  readonly leave: () => Promise<void>;
}

export class RunningLocalAgent implements LocalAgent {
  readonly #parts: LocalAgentParts;

  constructor(parts: LocalAgentParts) {
    this.#parts = parts;
  }

  get nodeName(): string {
    return this.#parts.config().nodeName;
  }
  get datacenter(): string {
    return this.#parts.config().datacenter;
  }
  get aclsEnabled(): boolean {
    return this.#parts.config().aclsEnabled;
  }

  async self(): Promise<unknown> {
    const { config, nodeId, dataDir, cluster, registry, nodeMeta } = this.#parts;
    const own = cluster.members('lan')?.find((member) => member.Name === config().nodeName);
    if (own === undefined) throw new LocalError('failed', 'this agent is not a member of its own pool yet');
    const agent = {
      check_monitors: String(registry.monitorCount()),
      check_ttls: String(registry.ttlCount()),
      checks: String(registry.state.checks().size),
      services: String(registry.state.services().size),
    };
    const stats = { agent, ...cluster.stats() };
    return selfDocument({ config: config(), nodeId, dataDir, member: own, meta: nodeMeta(), stats });
  }

  host(): Promise<unknown> {
    return hostDocument(Date.now());
  }
  members(pool: 'lan' | 'wan'): readonly Member[] | null {
    return this.#parts.cluster.members(pool);
  }
  join(address: string, pool: 'lan' | 'wan'): Promise<void> {
    return this.#parts.cluster.join(address, pool);
  }
  leave(): Promise<void> {
    return this.#parts.leave();
  }
  forceLeave(node: string, options: { readonly prune: boolean; readonly wan: boolean }): Promise<void> {
    return this.#parts.cluster.forceLeave(node, options);
  }
  async reload(): Promise<void> {
    try {
      await this.#parts.reload();
    } catch (error) {
      throw new LocalError('failed', (error as Error).message, {}, { cause: error });
    }
  }

  services(): Readonly<Record<string, AgentService>> {
    const services = this.#parts.registry.state.services();
    return record([...services].map(([id, entry]) => [id, agentForm(entry.service, this.datacenter)]));
  }
  checks(): Readonly<Record<string, HealthCheck>> {
    return record([...this.#parts.registry.state.checks()].map(([id, entry]) => [id, entry.check]));
  }
  watchService(id: string, changed: () => void): () => void {
    return this.#parts.registry.state.watch((change) => {
      if (change.kind === 'service' && change.id === id) changed();
    });
  }

  registerService(
    definition: ServiceRegistration,
    options: { readonly token: string; readonly replaceChecks: boolean; readonly caller: Caller },
  ): Promise<void> {
    return this.#parts.registrations.registerService(definition, options.token, options.replaceChecks);
  }
  deregisterService(id: string): Promise<boolean> {
    return this.#parts.registrations.deregisterService(id);
  }
  registerCheck(definition: CheckRegistration, token: string): Promise<void> {
    return this.#parts.registrations.registerCheck(definition, token);
  }
  deregisterCheck(id: string): Promise<boolean> {
    return this.#parts.registrations.deregisterCheck(id);
  }
  updateCheck(id: string, status: 'passing' | 'warning' | 'critical', output: string): Promise<void> {
    return this.#parts.registrations.updateCheck(id, status, output);
  }
  setMaintenance(serviceId: string | undefined, reason: string | undefined, token: string): Promise<void> {
    return this.#parts.registrations.setMaintenance(serviceId, reason, token);
  }

  monitor(level: LogLevel, json: boolean, line: (text: string) => void): () => void {
    return this.#parts.hub.watch(level, json, line);
  }
  prometheus(): Promise<{ readonly contentType: string; readonly text: string } | undefined> {
    return this.#parts.metrics.prometheus();
  }
  async metrics(): Promise<unknown> {
    return this.#parts.metrics.json();
  }
}

/** The Proxy object means something for proxies and gateways only; the others do not show it. */
function agentForm(service: NodeService, datacenter: string): AgentService {
  return {
    ...service,
    Tags: service.Tags ?? [],
    Meta: service.Meta ?? {},
    CreateIndex: 0,
    ModifyIndex: 0,
    ContentHash: '',
    Proxy: isProxyKind(service.Kind) ? service.Proxy : null,
    Connect: service.Connect?.Native === true ? service.Connect : null,
    Datacenter: datacenter,
  } as AgentService;
}

/** Ids are names that people choose, `__proto__` too. */
function record<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  const out = Object.create(null) as Record<string, T>;
  for (const [key, value] of entries) out[key] = value;
  return out;
}
