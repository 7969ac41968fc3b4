/** What an agent and the process that hosts its managed sidecars say to each other, over Node's IPC channel. */
import type { AgentClientOptions } from './agent-client.ts';
import type { MetricValue } from './counters.ts';
import type { LogLevel } from './log.ts';

export interface ManagedSidecar {
  /** Service id of the connect-proxy registration. */
  readonly id: string;
  /** Token for its questions; without one the agent's own rules for anonymous requests hold. */
  readonly token?: string | undefined;
  /** Where its public listener is when its registration names no address. */
  readonly bindAddress?: string | undefined;
}

/** Agent to host. `configure` names the whole set: what is new starts, what is missing drains. */
export type HostCommand =
  | {
      readonly kind: 'configure';
      readonly agent: AgentClientOptions;
      readonly sidecars: readonly ManagedSidecar[];
      readonly logLevel: LogLevel;
      readonly logJson: boolean;
      readonly drainMs: number;
      /** How often to tell the counters. */
      readonly reportMs: number;
    }
  | { readonly kind: 'stop' };

/** Host to agent. */
export type HostReport =
  /** The process is up and takes commands. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'listening'; readonly sidecar: string; readonly listener: string }
  /** All counters as they stand, with the sidecar's id among the labels (`proxy`). */
  | { readonly kind: 'counters'; readonly values: readonly MetricValue[] };
