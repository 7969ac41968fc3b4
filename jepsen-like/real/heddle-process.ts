/**
 * One `heddle` that stays, an agent or a sidecar, as a process of its own: started, signalled, killed and started again on the
 * data it has. An end that nobody asked for is told, whatever the fault at the time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { packageRoot } from '../../src/package-root.ts';
import { commandExists } from './commands.ts';
import { crashesIn } from './crash-dumps.ts';

const dieWithParent = process.platform === 'linux' && commandExists('setpriv');

export interface HeddleProcessOptions {
  /** Names data folder and log below `folder`: `s0`. */
  readonly name: string;
  /** For people: `server 0`. */
  readonly title: string;
  readonly folder: string;
  /** After `heddle`. */
  readonly words: readonly string[];
  /** Wraps the command: `faketime`, a network namespace. */
  readonly wrap?: (command: readonly string[]) => readonly string[];
  /** It ended, and nobody had asked for that: `server 0 ended with code 1`. */
  readonly onUnexpectedEnd: (text: string) => void;
}

export class HeddleProcess {
  readonly #options: HeddleProcessOptions;
  #child: ChildProcess | undefined;
  #mayExit = false;

  constructor(options: HeddleProcessOptions) {
    this.#options = options;
    mkdirSync(this.dataFolder, { recursive: true });
  }

  get title(): string {
    return this.#options.title;
  }

  get dataFolder(): string {
    return join(this.#options.folder, this.#options.name);
  }

  get logFile(): string {
    return join(this.#options.folder, `${this.#options.name}.log`);
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.title} is not running`);
    return pid;
  }

  /** Starts it, if it is not running, on the data it has. */
  launch(): void {
    if (this.#child !== undefined) return;
    const { words, wrap } = this.#options;
    const command = [process.execPath, join(packageRoot, 'dist/src/cli/entry.js'), ...words];
    const wrapped = wrap?.(command) ?? command;
    // A harness that is killed with -9 takes it with it.
    const [program, ...rest] = dieWithParent ? ['setpriv', '--pdeathsig', 'KILL', ...wrapped] : wrapped;
    const child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(this.logFile, { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once('exit', (code, signal) => {
      log.end();
      if (this.#child !== child) return;
      this.#child = undefined;
      if (this.#mayExit) this.#mayExit = false;
      else this.#options.onUnexpectedEnd(`${this.title} ended with ${signal ?? `code ${code}`}`);
    });
    this.#child = child;
  }

  /** Its next end, if it is running, is its right answer to a fault. */
  expectExit(): void {
    if (this.#child !== undefined) this.#mayExit = true;
  }

  /** From now on it is to stay. */
  expectNoExit(): void {
    this.#mayExit = false;
  }

  /** Waits until it has ended by itself; false if it has not after so long. */
  async ended(timeoutMs: number): Promise<boolean> {
    const end = performance.now() + timeoutMs;
    while (this.isRunning && performance.now() < end) await delay(50);
    return !this.isRunning;
  }

  /** `kill -9`; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGCONT');
    await this.#end('SIGKILL');
  }

  /** As an operator stops it; resolves when it is gone. */
  async terminate(): Promise<void> {
    await this.#end('SIGTERM');
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** At the end of a run: kills it, and waits for nothing. */
  drop(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.kill('SIGKILL');
  }

  /** Removes the data of one that is not running. */
  wipe(): void {
    for (const name of readdirSync(this.dataFolder))
      rmSync(join(this.dataFolder, name), { recursive: true, force: true });
  }

  /** The platform's words of a crash in its log: no fault may bring it to that. */
  crashes(): string[] {
    return existsSync(this.logFile) ? crashesIn(readFileSync(this.logFile, 'utf8')) : [];
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    this.#mayExit = false;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }
}
