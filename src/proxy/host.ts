/**
 * Entry of the process that hosts all managed sidecars of one agent, apart from the agent so that neither's load stalls the
 * other. It is told over IPC which sidecars to run, asks the agent's HTTP API for everything else, and ends with its agent:
 * when the channel closes it drains and exits.
 */

import { AgentClient } from './agent-client.ts';
import { systemClock } from './clock.ts';
import { metricValues } from './counters.ts';
import type { HostCommand, HostReport, ManagedSidecar } from './host-protocol.ts';
import { createLogger, type Logger, silentLogger } from './log.ts';
import { type RunningSidecar, startSidecar } from './sidecar.ts';

type Configure = Extract<HostCommand, { kind: 'configure' }>;

class SidecarHost {
  readonly #report: (report: HostReport) => void;
  readonly #running = new Map<string, { sidecar: RunningSidecar; token: string | undefined }>();
  #log: Logger = silentLogger;
  #client: { readonly key: string; readonly client: AgentClient } | null = null;
  #drainMs = 0;
  #reporting: NodeJS.Timeout | undefined;

  constructor(report: (report: HostReport) => void) {
    this.#report = report;
  }

  configure(command: Configure): void {
    this.#drainMs = command.drainMs;
    clearInterval(this.#reporting);
    this.#reporting = setInterval(() => this.#tellCounters(), command.reportMs).unref();
    this.#log = createLogger({
      name: 'proxy',
      level: command.logLevel,
      json: command.logJson,
      write: (line) => void process.stdout.write(line),
      nowMs: systemClock.wallMs,
    });
    const client = this.#clientFor(command);
    const wanted = new Map(command.sidecars.map((sidecar) => [sidecar.id, sidecar]));
    for (const [id, { token }] of [...this.#running]) {
      const want = wanted.get(id);
      if (want === undefined || want.token !== token) void this.#stop(id);
    }
    for (const sidecar of wanted.values()) if (!this.#running.has(sidecar.id)) this.#start(sidecar, command, client);
  }

  async stop(): Promise<void> {
    this.#tellCounters();
    await Promise.all([...this.#running.keys()].map((id) => this.#stop(id)));
    this.#client?.client.close();
  }

  #tellCounters(): void {
    const values = [...this.#running].flatMap(([proxy, { sidecar }]) =>
      metricValues(sidecar.counters).map((value) => ({ ...value, labels: { proxy, ...value.labels } })),
    );
    if (values.length > 0) this.#report({ kind: 'counters', values });
  }

  /** One pool of connections to the agent for all; another address or TLS set-up starts every sidecar anew. */
  #clientFor({ agent }: Configure): AgentClient {
    const key = JSON.stringify(agent);
    if (this.#client?.key === key) return this.#client.client;
    for (const id of [...this.#running.keys()]) void this.#stop(id);
    const client = new AgentClient(agent);
    this.#client = { key, client };
    return client;
  }

  #start({ id, token, bindAddress }: ManagedSidecar, { agent }: Configure, client: AgentClient): void {
    const log = this.#log.with({ proxy: id });
    const onListening = (listener: string): void => this.#report({ kind: 'listening', sidecar: id, listener });
    const sidecar = startSidecar({ agent, from: { proxyId: id, bindAddress }, token }, { log, client, onListening });
    this.#running.set(id, { sidecar, token });
  }

  async #stop(id: string): Promise<void> {
    const running = this.#running.get(id);
    this.#running.delete(id);
    await running?.sidecar.stop(this.#drainMs);
  }
}

function main(): void {
  const report = (message: HostReport): void => {
    if (process.connected) process.send?.(message);
  };
  const host = new SidecarHost(report);
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    void host.stop().then(() => process.exit(0));
  };
  process.on('message', (command: HostCommand) => {
    if (command.kind === 'configure') host.configure(command);
    else end();
  });
  process.on('disconnect', end);
  process.on('SIGTERM', end);
  // A terminal's Ctrl-C reaches the whole group; the agent decides when its sidecars go.
  process.on('SIGINT', () => {});
  report({ kind: 'ready' });
}

main();
