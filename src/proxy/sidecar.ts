/**
 * One sidecar as a whole: a source that follows the agent, a proxy that obeys it. `connect proxy` runs one, the host of an
 * agent's managed sidecars runs many.
 */
import type { Clock } from '../std/clock.ts';
import { AgentClient, type AgentClientOptions } from './agent-client.ts';
import { type Chance, systemClock } from './clock.ts';
import type { ProxyCounters } from './counters.ts';
import type { Logger } from './log.ts';
import { SidecarProxy } from './sidecar-proxy.ts';
import { AgentSource, type SourceOptions } from './source.ts';

export interface SidecarOptions extends SourceOptions {
  readonly agent: AgentClientOptions;
}

export interface SidecarDependencies {
  readonly log: Logger;
  readonly clock?: Clock;
  readonly chance?: Chance;
  /** Shared by all sidecars of one process; made here when missing. */
  readonly client?: AgentClient;
  readonly onListening?: (name: string) => void;
}

export interface RunningSidecar {
  readonly counters: ProxyCounters;
  readonly listeners: SidecarProxy['listeners'];
  readonly activeConnections: number;
  /** The counters in one flat record. */
  summary(): Record<string, number>;
  /** Stops accepting and following the agent, waits for open connections at most `graceMs`, cuts the rest. */
  stop(graceMs: number): Promise<{ readonly cut: number }>;
}

export function startSidecar(options: SidecarOptions, deps: SidecarDependencies): RunningSidecar {
  const { log, clock = systemClock, chance = Math.random, onListening } = deps;
  const client = deps.client ?? new AgentClient(options.agent);
  const proxy = new SidecarProxy({ log, clock, chance, ...(onListening && { onListening }) });
  const source = new AgentSource(options, {
    client,
    clock,
    chance,
    log,
    onSnapshot: (snapshot) => proxy.apply(snapshot),
  });
  source.start();
  return {
    counters: proxy.counters,
    summary: () => proxy.summary(),
    get listeners() {
      return proxy.listeners;
    },
    get activeConnections() {
      return proxy.activeConnections;
    },
    stop: async (graceMs) => {
      // The source goes on during the drain: an intention that changes meanwhile still cuts what it denies.
      const drained = await proxy.drain(graceMs);
      source.stop();
      if (deps.client === undefined) client.close();
      return drained;
    },
  };
}
