/**
 * What the `/v1/agent` routes ask of the agent that they belong to. Everything here is about this one process: its services
 * and checks, its membership, its life. Failures are HeddleErrors with complete texts; a `code` of `invalid` means 400,
 * `notFound` 404, anything else 500.
 */
import type { AgentService, CheckRegistration, HealthCheck, ServiceRegistration } from '../structs/index.ts';
import type { Caller } from './backend.ts';

/** A member of a gossip pool, as `/v1/agent/members` prints it. */
export interface Member {
  readonly Name: string;
  readonly Addr: string;
  readonly Port: number;
  readonly Tags: Readonly<Record<string, string>>;
  /** 0 none, 1 alive, 2 leaving, 3 left, 4 failed. */
  readonly Status: number;
  readonly ProtocolMin: number;
  readonly ProtocolMax: number;
  readonly ProtocolCur: number;
  readonly DelegateMin: number;
  readonly DelegateMax: number;
  readonly DelegateCur: number;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

export interface LocalAgent {
  readonly nodeName: string;
  readonly datacenter: string;
  /** `acl.enabled`. */
  readonly aclsEnabled: boolean;

  self(): Promise<unknown>;
  host(): Promise<unknown>;
  /** `null` where there is no such pool (WAN on a client). */
  members(pool: 'lan' | 'wan'): readonly Member[] | null;
  join(address: string, pool: 'lan' | 'wan'): Promise<void>;
  /** Leaves; resolves when it is done. The process ends after the answer. */
  leave(): Promise<void>;
  /** `wan`: in the pool of servers alone; otherwise wherever the agent knows the name. */
  forceLeave(node: string, options: { readonly prune: boolean; readonly wan: boolean }): Promise<void>;
  reload(): Promise<void>;

  services(): Readonly<Record<string, AgentService>>;
  checks(): Readonly<Record<string, HealthCheck>>;
  /** Calls back when the service, or whether it exists, may have changed; until the returned function is called. */
  watchService(id: string, changed: () => void): () => void;
  registerService(
    definition: ServiceRegistration,
    options: { readonly token: string; readonly replaceChecks: boolean; readonly caller: Caller },
  ): Promise<void>;
  /** Whether it was there. */
  deregisterService(id: string): Promise<boolean>;
  registerCheck(definition: CheckRegistration, token: string): Promise<void>;
  deregisterCheck(id: string): Promise<boolean>;
  updateCheck(id: string, status: 'passing' | 'warning' | 'critical', output: string): Promise<void>;
  /** Of the node when `serviceId` is undefined. `reason` undefined turns it off. */
  setMaintenance(serviceId: string | undefined, reason: string | undefined, token: string): Promise<void>;

  /** Lines of the log from now on, until the returned function is called. */
  monitor(level: LogLevel, json: boolean, line: (text: string) => void): () => void;
  /** Undefined where the retention time of Prometheus metrics is 0. */
  prometheus(): Promise<{ readonly contentType: string; readonly text: string } | undefined>;
  metrics(): Promise<unknown>;
}
