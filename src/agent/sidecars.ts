/**
 * The sidecars that this agent runs itself: those whose definition says `proxy { config { managed = true } }`. One child
 * process hosts them all; it asks the agent's own HTTP API, as any other proxy does.
 */
import { SidecarHostProcess } from '../proxy/host-process.ts';
import { isAnyAddress } from '../structs/index.ts';
import type { AgentConfig } from './config/index.ts';
import { isManaged } from './definitions/sidecar.ts';
import type { LocalState } from './local/state.ts';
import type { Logger, LogHub, LogLevel } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface SidecarsOptions {
  readonly logLevel: LogLevel;
  readonly logJson: boolean;
  /** The agent's own, where it has one: a sidecar is reached where its agent is. Undefined: every address of the host. */
  readonly bindAddress: string | undefined;
  /** Gets what the sidecars count: connections, bytes, refusals. */
  readonly metrics: Metrics;
  /** The public listener of a sidecar is open: its check can see it now. */
  readonly onUp: (sidecarId: string) => void;
}

/** How long a stopped sidecar waits for its open connections. */
const drainMs = 5_000;
/** What the host calls the listener that takes connections of the mesh. */
const publicListener = 'public';

export class ManagedSidecars {
  readonly #state: LocalState;
  readonly #host: SidecarHostProcess;
  readonly #log: Logger;
  readonly #bindAddress: string | undefined;
  #unwatch: () => void = () => undefined;
  #wanted = '';

  constructor(options: SidecarsOptions, state: LocalState, hub: LogHub) {
    this.#state = state;
    this.#bindAddress = options.bindAddress;
    this.#log = hub.logger('agent.sidecars');
    this.#host = new SidecarHostProcess({
      logLevel: options.logLevel,
      logJson: options.logJson,
      drainMs,
      onLogLine: (line) => hub.relay(line),
      onCounters: (growth) => {
        for (const { name, labels, value } of growth) options.metrics.count(name, labels, value);
      },
      onListening: (sidecar, listener) => {
        this.#log.info('sidecar listens', { sidecar, listener });
        if (listener === publicListener) options.onUp(sidecar);
      },
    });
  }

  /** Starts the process ahead of time: it boots while the agent does. */
  warm(): void {
    this.#host.warm();
  }

  /** Runs what the local state asks for, from now on. `agentUrl`: where the agent answers, `http://127.0.0.1:8500`. */
  begin(agentUrl: string): void {
    this.#unwatch = this.#state.watch((change) => {
      if (change.kind === 'service') this.#configure(agentUrl);
    });
    this.#configure(agentUrl);
  }

  async stop(): Promise<void> {
    this.#unwatch();
    await this.#host.stop();
  }

  #configure(agentUrl: string): void {
    const sidecars = [...this.#state.services().values()]
      .filter((entry) => isManaged(entry.definition))
      .map((entry) => ({
        ...{ id: entry.service.ID, bindAddress: this.#bindAddress },
        ...(entry.token === '' ? {} : { token: entry.token }),
      }));
    const key = JSON.stringify(sidecars);
    if (key === this.#wanted) return;
    this.#wanted = key;
    this.#log.debug('running managed sidecars', { sidecars: sidecars.map((sidecar) => sidecar.id) });
    this.#host.configure(sidecars, { address: agentUrl });
  }
}

/** Where sidecars listen that name no address: where their agent does, unless that is everywhere. */
export function sidecarAddress({ bindAddress }: Pick<AgentConfig, 'bindAddress'>): string | undefined {
  return isAnyAddress(bindAddress) ? undefined : bindAddress;
}

/** Whether the files ask for a sidecar that the agent is to run. */
export function wantsSidecars(config: AgentConfig): boolean {
  return config.services.some(
    (service) =>
      service.Connect?.SidecarService?.Proxy?.Config?.managed === true || service.Proxy?.Config?.managed === true,
  );
}
