/**
 * The composition root: builds every part of one agent, hands each what it needs, and takes them down in the opposite order.
 *
 *     configuration -> data directory -> cluster (server) -> local state from files and disk -> HTTP door
 *                   -> managed sidecars -> leader -> anti-entropy
 *
 * The door opens before there is a leader: what needs one waits for it, what does not is answered.
 */
import {
  agentRoutes,
  backendRoutes,
  bodyLimits,
  eventRoutes,
  keyringRoutes,
  type ReadDefaults,
  type Route,
} from '../api/http/index.ts';
import type { AgentNetwork } from './agent-network.ts';
import { systemClock } from './clock.ts';
import type { Cluster, StartCluster } from './cluster.ts';
import { type AgentConfig, ConfigError, type LoadInput, loadConfig, needRestart, refusals } from './config/index.ts';
import { CoordinateSender } from './coordinate-sender.ts';
import { type DataDir, nodeIdOf, openDataDir } from './data-dir.ts';
import { type OpenDoors, openHttp } from './doors.ts';
import { keepLastSeen, refuseLongAway } from './last-seen.ts';
import type { AntiEntropy } from './local/anti-entropy.ts';
import type { CentralConfig } from './local/central-config.ts';
import type { RegistryTuning } from './local/check-runners.ts';
import type { Registry } from './local/registry.ts';
import { LocalState } from './local/state.ts';
import { RunningLocalAgent } from './local-agent.ts';
import { buildLocal, nodeMetaOf, tokensOf } from './local-parts.ts';
import { type Logger, LogHub, logLevelOf } from './log.ts';
import { LogFile } from './log-file.ts';
import { Metrics } from './metrics.ts';
import { openFilesHere, watchOpenFiles } from './open-files.ts';
import type { Registrations } from './registrations.ts';
import { ManagedSidecars, sidecarAddress, wantsSidecars } from './sidecars.ts';
import { loopbackTransport, UserEvents } from './user-events.ts';

export interface AgentOptions extends LoadInput {
  /** Whole lines of the log, without newline. Absent: nothing is written. */
  readonly output?: (line: string) => void;
  /** Every port is chosen by the system: for tests, and for agents inside of other programs. */
  readonly anyPorts?: boolean;
  /** Absent: plain sockets. */
  readonly network?: AgentNetwork;
  /** Called once, before the first line of the log, when the configuration is known. */
  readonly onConfigured?: (agent: Agent) => void;
  /** Absent: the cluster that the configuration describes. */
  readonly startCluster?: StartCluster;
}

/** Why an agent ended by itself. */
export type Ending = { readonly kind: 'left' } | { readonly kind: 'failed'; readonly error: Error };

const reapMs = 30_000;

export class Agent {
  #config: AgentConfig;
  readonly nodeId: string;
  readonly hub: LogHub;
  readonly log: Logger;
  /** Resolves when the agent ends by itself: it left on request, or it cannot go on. `stop` is still to be called. */
  readonly ended: Promise<Ending>;
  readonly #options: AgentOptions;
  readonly #dataDir: DataDir;
  readonly #metrics: Metrics;
  readonly #state = new LocalState();
  readonly #tuning: RegistryTuning;
  readonly #closers: (() => void | Promise<void>)[] = [];
  #end: (ending: Ending) => void = () => undefined;
  #cluster!: Cluster;
  #registry!: Registry;
  #registrations!: Registrations;
  #sync!: AntiEntropy;
  #central: CentralConfig | undefined;
  #doors: OpenDoors | undefined;
  #sidecars: ManagedSidecars | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(options: AgentOptions) {
    this.#options = options;
    this.#config = usable(loadConfig(options), options);
    const { settings } = this.#config;
    const level = logLevelOf(settings.log_level);
    if (level === undefined) {
      throw new ConfigError(
        `Invalid log level: ${settings.log_level}. Valid log levels are: [TRACE DEBUG INFO WARN ERR ERROR]`,
      );
    }
    this.hub = new LogHub({
      level,
      json: settings.log_json,
      output: options.output ?? (() => undefined),
      nowMs: systemClock.wallMs,
    });
    this.log = this.hub.logger('agent');
    this.#metrics = new Metrics({
      prefix: settings.telemetry.metrics_prefix,
      prometheus: settings.telemetry.prometheus_retention_time > 0,
      nowMs: systemClock.wallMs,
    });
    this.#tuning = tuningOf(this.#config);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#dataDir = openDataDir(settings.data_dir);
    this.#closers.push(() => this.#dataDir.dispose());
    try {
      this.nodeId = nodeIdOf(settings.node_id, this.#dataDir.path);
    } catch (error) {
      this.#dataDir.dispose();
      throw error;
    }
  }

  /**
   * Starts an agent; resolves when it has a leader and its services are in the catalog. Throws a ConfigError for what it
   * cannot be started with; then nothing of it is left.
   */
  static async start(options: AgentOptions = {}): Promise<Agent> {
    const agent = new Agent(options);
    try {
      options.onConfigured?.(agent);
      await agent.#start();
      return agent;
    } catch (error) {
      await agent.stop();
      throw error;
    }
  }

  get config(): AgentConfig {
    return this.#config;
  }
  get dataDir(): string {
    return this.#dataDir.path;
  }
  /** Where it answers HTTP: `http://127.0.0.1:8500`; '' before its HTTP door is open, and when it has none. */
  get httpAddress(): string {
    return this.#doors?.addresses[0] ?? '';
  }

  /** Connections to its HTTP doors. */
  get httpConnections(): number {
    return this.#doors?.connections ?? 0;
  }

  /** Reads the configuration again and applies what may change while it runs. Throws when it cannot be used. */
  async reload(): Promise<void> {
    const config = usable(loadConfig(this.#options), this.#options);
    for (const warning of config.warnings) this.log.warn(warning);
    const level = logLevelOf(config.settings.log_level);
    if (level === undefined)
      this.log.warn('Invalid log level in new configuration', { level: config.settings.log_level });
    else this.hub.level = level;
    const late = needRestart(this.#config.settings, config.settings);
    if (late.length > 0) this.log.warn('Changed settings count from the next start', { keys: late });
    this.#config = { ...config, http: this.#config.http };
    Object.assign(this.#tuning, tuningOf(config));
    this.#sync.nodeChanged();
    await this.#sync.whilePaused(() => this.#registrations.loadFiles(config));
  }

  /** Leaves the cluster in good order and then ends. */
  async leave(): Promise<void> {
    await this.#cluster.leave();
    this.#end({ kind: 'left' });
  }

  /** Ends it, in the opposite order of its start. Safe to call more than once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  async #close(): Promise<void> {
    for (const close of this.#closers.reverse()) {
      try {
        await close();
      } catch (error) {
        this.log.error('a part of the agent did not stop cleanly', { error });
      }
    }
  }

  async #start(): Promise<void> {
    const { settings } = this.#config;
    this.#openLogFile();
    for (const warning of this.#config.warnings) this.log.warn(warning);
    checkKeySize(settings.encrypt);
    const keepsData = this.#config.server && settings.data_dir !== '';
    if (keepsData) refuseLongAway(this.#dataDir.path, settings.server_rejoin_age_max, systemClock.wallMs());
    this.#makeSidecars();
    // Loaded late: reading the configuration must not wait for a database and a consensus library.
    const startCluster = this.#options.startCluster ?? (await import('./start-cluster.ts')).startCluster;
    this.#cluster = await startCluster({
      config: this.#config,
      nodeId: this.nodeId,
      dataDir: this.#dataDir.path,
      anyPorts: this.#options.anyPorts === true,
      ...(this.#options.network === undefined ? {} : { network: this.#options.network }),
      log: this.log,
      metrics: this.#metrics,
      nodeMeta: () => nodeMetaOf(this.#config),
    });
    this.#closers.push(() => this.#cluster.stop());
    if (keepsData) this.#keepLastSeen();
    void this.#cluster.failed.then((error) => this.#end({ kind: 'failed', error }));
    this.#buildLocal();
    await this.#openDoors();
    await this.#cluster.ready();
    await this.#central?.begin();
    await this.#sync.start();
    this.#planReap();
    this.#closers.push(watchOpenFiles({ clock: systemClock, look: openFilesHere, log: this.log }));
    this.#sendCoordinates();
    if (settings.telemetry.prometheus_retention_time > 0) await this.#metrics.enablePrometheus();
    this.log.info('Heddle agent running!');
  }

  #keepLastSeen(): void {
    const failed = (error: unknown): void => this.log.error('cannot write when this server was last seen', { error });
    this.#closers.push(keepLastSeen(this.#dataDir.path, systemClock, failed));
  }

  #sendCoordinates(): void {
    const { coordinate, backend } = this.#cluster;
    if (coordinate === undefined || this.#config.settings.disable_coordinates) return;
    const sender = new CoordinateSender({
      clock: systemClock,
      chance: Math.random,
      members: () => this.#cluster.members('lan')?.length ?? 1,
      coordinate,
      send: (Coord) => {
        const caller = { token: tokensOf(this.#config).agent, address: '', call: 'coordinate update', datacenter: '' };
        return backend.call('coordinate.update', { Node: this.#config.nodeName, Segment: '', Coord }, caller);
      },
      failed: (error) => this.log.warn('Coordinate update error', { error }),
    });
    this.#closers.push(() => sender.stop());
  }

  #openLogFile(): void {
    const { settings } = this.#config;
    if (settings.log_file === '') return;
    const file = new LogFile({
      path: settings.log_file,
      rotateAfterMs: settings.log_rotate_duration / 1e6,
      rotateBytes: settings.log_rotate_bytes,
      filesMax: settings.log_rotate_max_files,
      nowMs: systemClock.wallMs,
    });
    this.hub.addOutput(settings.log_json, (line) => file.write(line));
    this.#closers.push(() => file.close());
  }

  /** The local state with what files and disk say; nothing of it is sent before there is a leader. */
  #buildLocal(): void {
    const { registry, sync, central, registrations } = buildLocal({
      config: () => this.#config,
      nodeId: this.nodeId,
      dataDir: this.#dataDir.path,
      tuning: this.#tuning,
      state: this.#state,
      cluster: this.#cluster,
      log: this.log,
    });
    this.#registry = registry;
    this.#sync = sync;
    this.#central = central;
    this.#registrations = registrations;
    this.#closers.push(
      () => registry.stop(),
      () => sync.stop(),
      () => central?.stop(),
    );
    registrations.loadFiles(this.#config);
    registry.restore();
    central?.restore();
  }

  #eventRoutes(defaults: ReadDefaults): Route[] {
    const events = new UserEvents({
      nodeName: this.#config.nodeName,
      datacenter: this.#config.datacenter,
      transport: this.#cluster.events ?? loopbackTransport(),
      services: () => [...this.#state.services().values()].map(({ service }) => service),
    });
    this.#closers.push(() => events.close());
    return eventRoutes({ events, defaults });
  }

  async #openDoors(): Promise<void> {
    const { settings } = this.#config;
    const local = new RunningLocalAgent({
      config: () => this.#config,
      nodeId: this.nodeId,
      dataDir: this.#dataDir.path,
      registry: this.#registry,
      registrations: this.#registrations,
      cluster: this.#cluster,
      hub: this.hub,
      metrics: this.#metrics,
      nodeMeta: () => nodeMetaOf(this.#config),
      reload: () => this.reload(),
      leave: () => this.leave(),
    });
    const defaults: ReadDefaults = {
      discoveryMaxStaleMs: settings.discovery_max_stale / 1e6,
      useCache: settings.http_config.use_cache,
    };
    const { routes, cache } = backendRoutes({
      backend: this.#cluster.backend,
      snapshots: this.#cluster.snapshots,
      defaults,
      limits: {
        ...bodyLimits,
        kvValueBytesMax: settings.limits.kv_max_value_size,
        txnBytesMax: settings.limits.txn_max_req_len,
      },
      coordinatesDisabled: settings.disable_coordinates,
      connectEnabled: this.#config.connectEnabled,
      ...(this.#config.defaultIntentionPolicy === undefined
        ? {}
        : { defaultPolicy: { allow: this.#config.defaultIntentionPolicy === 'allow', from: 'intention-policy' } }),
    });
    this.#closers.push(() => cache.close());
    const keyring = this.#cluster.keyring === undefined ? [] : keyringRoutes(this.#cluster.keyring);
    const level = this.hub.level;
    const doors = await openHttp(
      this.#config,
      [...routes, ...this.#cluster.routes, ...agentRoutes(local), ...this.#eventRoutes(defaults), ...keyring],
      {
        log: this.hub.logger('agent.http'),
        metrics: this.#metrics,
        watchRequests: level === 'debug' || level === 'trace' || settings.telemetry.prometheus_retention_time > 0,
      },
    );
    this.#doors = doors;
    this.#closers.push(() => doors.close());
    for (const address of doors.addresses) {
      const unix = address.startsWith('unix://');
      const place = address.replace(/^(http|unix):\/\//, '');
      this.log.info('Starting server', { address: place, network: unix ? 'unix' : 'tcp', protocol: 'http' });
    }
    this.#beginSidecars();
  }

  /** The process of the managed sidecars: begun early where the files ask for one, told what to run when the door is open. */
  #makeSidecars(): void {
    if (!this.#config.connectEnabled) return;
    const sidecars = new ManagedSidecars(
      {
        logLevel: this.hub.level,
        logJson: this.#config.settings.log_json,
        bindAddress: sidecarAddress(this.#config),
        metrics: this.#metrics,
        onUp: (sidecarId: string) => this.#registry.hurryChecks(sidecarId),
      },
      this.#state,
      this.hub,
    );
    this.#sidecars = sidecars;
    this.#closers.push(() => sidecars.stop());
    if (wantsSidecars(this.#config)) sidecars.warm();
  }

  #beginSidecars(): void {
    const agentUrl = this.#doors?.addresses[0];
    const sidecars = this.#sidecars;
    if (agentUrl === undefined || sidecars === undefined) return;
    sidecars.begin(reachable(agentUrl));
    // Stopped before the door: a sidecar drains with an agent to ask.
    this.#closers.push(() => sidecars.stop());
  }

  #planReap(): void {
    let cancel = (): void => undefined;
    const plan = (): void => {
      cancel = systemClock.after(reapMs, () => {
        this.#registry.reapCritical();
        plan();
      });
    };
    plan();
    this.#closers.push(() => cancel());
  }
}

/** Told behind the banner: a file with such a key is valid, an agent cannot start with it. */
function checkKeySize(encrypt: string): void {
  if (encrypt !== '' && ![16, 24, 32].includes(Buffer.from(encrypt, 'base64').length)) {
    throw new ConfigError('Failed to configure keyring: key size must be 16, 24 or 32 bytes');
  }
}

/** What cannot be honoured is refused; with `anyPorts` every listener gets a free port (gossip and RPC keep theirs if given). */
function usable(config: AgentConfig, options: AgentOptions): AgentConfig {
  const refused = refusals(config);
  if (refused.length > 0) throw new ConfigError(refused.join('\n'));
  if (options.anyPorts !== true) return config;
  return { ...config, http: config.clientAddresses.map((address) => ({ kind: 'tcp', address, port: 0 })) };
}

function tuningOf(config: AgentConfig): RegistryTuning {
  return {
    checkOutputBytesMax: config.settings.check_output_max_size,
    discardCheckOutput: config.settings.discard_check_output,
    checkUpdateIntervalMs: config.settings.check_update_interval / 1e6,
  };
}

/** An address that listens everywhere is reached on this machine by loopback. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}
