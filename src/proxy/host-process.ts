/**
 * The agent's end of the sidecar host: starts the process when the first managed sidecar is wanted, tells it about changes,
 * starts it again when it dies, and stops it with the agent.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../std/clock.ts';
import type { AgentClientOptions } from './agent-client.ts';
import { backoffMs } from './backoff.ts';
import { systemClock } from './clock.ts';
import type { MetricValue } from './counters.ts';
import type { HostCommand, HostReport, ManagedSidecar } from './host-protocol.ts';
import type { LogLevel } from './log.ts';

export interface HostProcessOptions {
  /** Undefined: it comes with `configure`. */
  readonly agent?: AgentClientOptions;
  readonly logLevel: LogLevel;
  readonly logJson: boolean;
  /** How long a sidecar that is stopped waits for its open connections. */
  readonly drainMs: number;
  /** Gets the host's log, line by line, without the newline. */
  readonly onLogLine: (line: string) => void;
  readonly onListening?: (sidecar: string, listener: string) => void;
  /** What was counted since the last time, by name and labels. */
  readonly onCounters?: (growth: readonly MetricValue[]) => void;
  /** How often counters are told. Default 5 s. */
  readonly reportMs?: number;
  /** Script to run; by default the built host. */
  readonly entry?: string;
  readonly clock?: Clock;
}

const restart = { baseMs: 200, maxMs: 10_000 } as const;

export class SidecarHostProcess {
  readonly #options: HostProcessOptions;
  readonly #clock: Clock;
  #child: ChildProcess | null = null;
  #sidecars: readonly ManagedSidecar[] = [];
  #agent: AgentClientOptions | undefined;
  readonly #counted = new Map<string, number>();
  #failures = 0;
  #stopping = false;
  #cancelRestart: () => void = () => {};

  constructor(options: HostProcessOptions) {
    this.#options = options;
    this.#agent = options.agent;
    this.#clock = options.clock ?? systemClock;
  }

  /** Process id while one runs: for memory figures and for tests. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process ahead of the first `configure`: it boots while the agent does. */
  warm(): void {
    if (this.#child === null && !this.#stopping) this.#start();
  }

  /** The whole set of sidecars that should run. With none and no process yet, none is started. */
  configure(sidecars: readonly ManagedSidecar[], agent = this.#agent): void {
    this.#sidecars = sidecars;
    this.#agent = agent;
    if (this.#stopping) return;
    if (this.#child === null && sidecars.length > 0) this.#start();
    else this.#tell();
  }

  /** Drains and ends the process; resolves when it is gone. A host that does not end in time is killed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelRestart();
    const child = this.#child;
    if (child === null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    if (child.connected) child.send({ kind: 'stop' } satisfies HostCommand);
    else child.kill('SIGTERM');
    const cancelKill = this.#clock.after(this.#options.drainMs + 2_000, () => child.kill('SIGKILL'));
    await gone;
    cancelKill();
  }

  #start(): void {
    this.#cancelRestart();
    const child = fork(this.#options.entry ?? hostEntry(), [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
      serialization: 'json',
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) if (stream !== null) this.#relay(stream);
    child.on('message', (report: HostReport) => this.#heard(report));
    child.once('error', (error) => this.#options.onLogLine(`the sidecar host cannot be started: ${error.message}`));
    child.once('exit', (code, signal) => this.#exited(child, code, signal));
    this.#tell();
  }

  #heard(report: HostReport): void {
    if (report.kind === 'ready') this.#failures = 0;
    else if (report.kind === 'listening') this.#options.onListening?.(report.sidecar, report.listener);
    else this.#options.onCounters?.(this.#growth(report.values));
  }

  #growth(values: readonly MetricValue[]): readonly MetricValue[] {
    return values.flatMap((now) => {
      const key = JSON.stringify([now.name, now.labels]);
      const before = this.#counted.get(key) ?? 0;
      this.#counted.set(key, now.value);
      // A sidecar that was started anew counts from nothing again.
      const grown = now.value >= before ? now.value - before : now.value;
      return grown > 0 ? [{ ...now, value: grown }] : [];
    });
  }

  #exited(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#counted.clear();
    if (this.#stopping || this.#sidecars.length === 0) return;
    this.#failures += 1;
    const delayMs = backoffMs(this.#failures, restart, Math.random);
    this.#options.onLogLine(
      `the sidecar host ended (${signal ?? code}), starting it again in ${Math.round(delayMs)} ms`,
    );
    this.#cancelRestart = this.#clock.after(delayMs, () => this.#start());
  }

  #tell(): void {
    const agent = this.#agent;
    if (this.#child?.connected !== true || agent === undefined) return;
    const { logLevel, logJson, drainMs, reportMs = 5_000 } = this.#options;
    this.#child.send({
      kind: 'configure',
      agent,
      sidecars: this.#sidecars,
      logLevel,
      logJson,
      drainMs,
      reportMs,
    } satisfies HostCommand);
  }

  #relay(stream: NodeJS.ReadableStream): void {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#options.onLogLine(line);
    });
    stream.on('end', () => {
      if (rest !== '') this.#options.onLogLine(rest);
    });
  }
}

/** Beside this file in a build; sources that run directly (tests) use the build, since Node 20 cannot run TypeScript. */
function hostEntry(): string {
  const built = fileURLToPath(new URL('./host.js', import.meta.url));
  if (existsSync(built)) return built;
  return fileURLToPath(new URL('../../dist/src/proxy/host.js', import.meta.url));
}
