/** The configuration that an agent runs with: settled keys, and what follows from them. */
import type { CheckRegistration, ServiceRegistration } from '../../structs/index.ts';
import type { Settings } from './keys/index.ts';

export type Listen =
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export interface AgentConfig {
  readonly settings: Settings;
  /** Keys that some source set, dotted. */
  readonly given: ReadonlySet<string>;
  readonly dev: boolean;
  readonly datacenter: string;
  readonly primaryDatacenter: string;
  readonly nodeName: string;
  readonly server: boolean;
  readonly bootstrap: boolean;
  readonly bootstrapExpect: number;
  readonly bindAddress: string;
  readonly advertiseAddress: string;
  readonly advertiseAddressWan: string;
  readonly taggedAddresses: Readonly<Record<string, string>>;
  readonly clientAddresses: readonly string[];
  readonly http: readonly Listen[];
  readonly dns: readonly Listen[];
  readonly https: readonly Listen[];
  readonly grpc: readonly Listen[];
  readonly recursors: readonly string[];
  readonly serfLanAddress: string;
  readonly serfWanAddress: string;
  readonly aclsEnabled: boolean;
  readonly defaultPolicy: 'allow' | 'deny';
  /** What holds between services where no intention speaks; undefined: it follows ACLs. */
  readonly defaultIntentionPolicy: 'allow' | 'deny' | undefined;
  readonly connectEnabled: boolean;
  readonly scriptsFromApi: boolean;
  readonly scriptsFromFiles: boolean;
  readonly leaveOnTerminate: boolean;
  readonly skipLeaveOnInterrupt: boolean;
  readonly uiContentPath: string;
  readonly services: readonly ServiceRegistration[];
  readonly checks: readonly CheckRegistration[];
  /** What to say, first lines of the log. */
  readonly warnings: readonly string[];
}
