/**
 * Real servers: N `heddle agent -server` processes, each on a loopback address of its own, with real disks and real sockets.
 * Benchmarks and the fault harness both start their clusters here.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { command } from './commands.ts';
import { HeddleProcess } from './heddle-process.ts';
import { unmountBelow } from './slot.ts';

export interface ClusterOptions {
  readonly size: number;
  /** The servers listen on `<subnet>.1`, `<subnet>.2`, …: `127.0.32`. */
  readonly subnet: string;
  /** Where data and logs go; a temporary folder that `stop` removes unless said. */
  readonly folder?: string;
  /** Further flags for every server. */
  readonly flags?: readonly string[];
  /** Each server's data on a tmpfs of this many MiB of its own (root only). */
  readonly smallDisksMiB?: number;
  /** Where the others reach a server, if that is not where it listens: a proxy. */
  readonly advertise?: (server: number) => string;
  /** Wraps the command of a server: `faketime`, a network namespace. */
  readonly wrap?: (server: number, command: readonly string[]) => readonly string[];
}

export class ProcessCluster {
  readonly size: number;
  readonly folder: string;
  readonly #options: ClusterOptions;
  readonly #ownsFolder: boolean;
  readonly #servers: readonly HeddleProcess[];
  /** What went wrong outside of the histories: `server 1 ended with code 1`. */
  readonly complaints: string[] = [];

  private constructor(options: ClusterOptions) {
    this.#options = options;
    this.size = options.size;
    this.#ownsFolder = options.folder === undefined;
    this.folder = options.folder ?? mkdtempSync(join(tmpdir(), 'heddle-cluster-'));
    this.#servers = Array.from({ length: options.size }, (_, server) => this.#prepare(server));
  }

  #prepare(server: number): HeddleProcess {
    const { wrap } = this.#options;
    return new HeddleProcess({
      name: `s${server}`,
      title: `server ${server}`,
      folder: this.folder,
      words: ['agent', ...this.#flags(server)],
      ...(wrap === undefined ? {} : { wrap: (words) => wrap(server, words) }),
      onUnexpectedEnd: (text) => this.complain(text),
    });
  }

  #flags(server: number): readonly string[] {
    const name = `s${server}`;
    return [
      '-server',
      `-bootstrap-expect=${this.size}`,
      `-node=${name}`,
      `-bind=${this.host(server)}`,
      `-client=${this.host(server)}`,
      `-data-dir=${join(this.folder, name)}`,
      ...(this.#options.advertise === undefined ? [] : [`-advertise=${this.advertised(server)}`]),
      // One server alone joins nobody.
      ...(this.size === 1 ? [] : Array.from({ length: this.size }, (_, i) => `-retry-join=${this.advertised(i)}`)),
      ...(this.#options.flags ?? []),
    ];
  }

  /** Starts all servers and waits until one leads and takes a write. `made` hears of the cluster before its first process. */
  static async start(
    options: ClusterOptions,
    made: (cluster: ProcessCluster) => void = () => undefined,
  ): Promise<ProcessCluster> {
    const cluster = new ProcessCluster(options);
    made(cluster);
    try {
      for (let server = 0; server < options.size; server++) {
        if (options.smallDisksMiB !== undefined) {
          command('mount', '-t', 'tmpfs', '-o', `size=${options.smallDisksMiB}m`, 'tmpfs', cluster.dataFolder(server));
        }
        cluster.launch(server);
      }
      await cluster.waitForWrite(60_000);
    } catch (error) {
      cluster.stop();
      throw error;
    }
    return cluster;
  }

  host(server: number): string {
    return `${this.#options.subnet}.${server + 1}`;
  }

  /** Where the other servers reach it. */
  advertised(server: number): string {
    return this.#options.advertise?.(server) ?? this.host(server);
  }

  dataFolder(server: number): string {
    return this.#servers[server]!.dataFolder;
  }

  logFile(server: number): string {
    return this.#servers[server]!.logFile;
  }

  get hasSmallDisks(): boolean {
    return this.#options.smallDisksMiB !== undefined;
  }

  /** `host:port` of a server's HTTP door. */
  target(server: number): string {
    return `${this.host(server)}:8500`;
  }

  pid(server: number): number {
    return this.#servers[server]!.pid;
  }

  isRunning(server: number): boolean {
    return this.#servers[server]!.isRunning;
  }

  /** Waits until a server's process has ended by itself; false if it has not after so long. */
  ended(server: number, timeoutMs: number): Promise<boolean> {
    return this.#servers[server]!.ended(timeoutMs);
  }

  /** Starts a server that is not running, on the data it has. */
  launch(server: number): void {
    this.#servers[server]!.launch();
  }

  /** Kills a server at once (`kill -9`) and waits until it is gone. */
  kill(server: number): Promise<void> {
    return this.#servers[server]!.kill();
  }

  /** Stops a server as an operator does (SIGTERM) and waits until it is gone. */
  terminate(server: number): Promise<void> {
    return this.#servers[server]!.terminate();
  }

  /** If this server ends by itself from now on, that is its right answer to a fault. */
  expectExit(server: number): void {
    this.#servers[server]!.expectExit();
  }

  /** From now on it is to stay. */
  expectNoExit(server: number): void {
    this.#servers[server]!.expectNoExit();
  }

  /** Something that no nemesis may bring about. */
  complain(text: string): void {
    this.complaints.push(text);
  }

  /** Complains of every server whose log holds the platform's words of a crash: no fault may bring a server to that. */
  complainOfCrashes(): void {
    for (const server of this.#servers)
      for (const crash of server.crashes()) this.complain(`${server.title} crashed: ${crash}`);
  }

  /** Removes the data of a server that is not running. */
  wipe(server: number): void {
    this.#servers[server]!.wipe();
  }

  signal(server: number, signal: NodeJS.Signals): void {
    this.#servers[server]!.signal(signal);
  }

  /** Index of the server that says it leads; undefined while none does. */
  async leader(): Promise<number | undefined> {
    for (let server = 0; server < this.size; server++) {
      if (!this.isRunning(server)) continue;
      const answer = await this.ask(server, 'GET', '/v1/status/leader', undefined, 1_000).catch(() => undefined);
      if (answer === undefined || answer.status !== 200) continue;
      const host = (JSON.parse(answer.body) as string).split(':')[0];
      for (let i = 0; i < this.size; i++) if (this.advertised(i) === host) return i;
    }
    return undefined;
  }

  async ask(
    server: number,
    method: string,
    path: string,
    body?: string,
    timeoutMs = 5_000,
  ): Promise<{ status: number; body: string }> {
    const response = await fetch(`http://${this.target(server)}${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, body: await response.text() };
  }

  /** Waits until some running server acknowledges a write. */
  async waitForWrite(timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs;
    let last = '';
    while (performance.now() < end) {
      if (!this.#servers.some(({ isRunning }) => isRunning)) {
        throw new Error(`no server is running: ${this.complaints.join('; ')}. Logs: ${this.folder}`);
      }
      for (let server = 0; server < this.size; server++) {
        if (!this.isRunning(server)) continue;
        const answer = await this.ask(server, 'PUT', '/v1/kv/_ready', String(end), 2_000).catch((error: unknown) => {
          last = String(error);
          return undefined;
        });
        if (answer?.status === 200) return;
        if (answer !== undefined) last = `${answer.status} ${answer.body}`;
      }
      await delay(50);
    }
    throw new Error(`no server took a write within ${timeoutMs} ms: ${last}. Logs: ${this.folder}`);
  }

  stop(): void {
    for (const server of this.#servers) server.drop();
    if (this.hasSmallDisks) unmountBelow(this.folder);
    if (this.#ownsFolder) rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
