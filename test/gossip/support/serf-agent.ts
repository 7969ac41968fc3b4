/** A real `serf agent` (Debian package `serf`) as a child process, driven by its own command line. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './until.ts';

const run = promisify(execFile);

export const serfInstalled = spawnSync('serf', ['version']).status === 0;

export interface SerfMember {
  readonly name: string;
  readonly addr: string;
  readonly status: string;
  readonly tags: Record<string, string>;
}

export interface SerfOptions {
  readonly name: string;
  readonly address: string;
  readonly tags?: Record<string, string>;
  /** Base64 keys for a keyring file. */
  readonly keyring?: readonly string[];
  readonly profile?: 'lan' | 'local';
  readonly extra?: readonly string[];
}

export class SerfAgent {
  static readonly port = 17946;
  readonly name: string;
  readonly address: string;
  readonly folder: string;
  /** What the agent printed so far. */
  log = '';
  private readonly options: SerfOptions;
  private child: ChildProcess | undefined;

  private constructor(options: SerfOptions) {
    this.options = options;
    this.name = options.name;
    this.address = `${options.address}:${SerfAgent.port}`;
    this.folder = mkdtempSync(join(tmpdir(), 'heddle-serf-'));
    if (options.keyring !== undefined) writeFileSync(this.keyringPath, JSON.stringify(options.keyring));
  }

  get keyringPath(): string {
    return join(this.folder, 'keyring.json');
  }

  get pid(): number {
    return this.child!.pid!;
  }

  /** Started and answering its command line. */
  static async start(options: SerfOptions): Promise<SerfAgent> {
    const agent = new SerfAgent(options);
    await agent.launch();
    return agent;
  }

  async launch(): Promise<void> {
    const { name, address, tags = {}, keyring, profile = 'local', extra = [] } = this.options;
    const args = [
      'agent',
      `-node=${name}`,
      `-bind=${this.address}`,
      `-rpc-addr=${address}:17373`,
      `-profile=${profile}`,
    ];
    for (const [key, value] of Object.entries(tags)) args.push('-tag', `${key}=${value}`);
    if (keyring !== undefined) args.push(`-keyring-file=${this.keyringPath}`);
    this.child = spawn('serf', [...args, '-log-level=debug', ...extra], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        this.log += chunk.toString();
      });
    }
    await until(async () => (await this.members()).length > 0, `serf agent ${name} to start`);
  }

  /** Runs a serf command against this agent; a non-zero exit rejects. */
  async cli(command: string, ...args: string[]): Promise<string> {
    const rpc = `-rpc-addr=${this.options.address}:17373`;
    const { stdout } = await run('serf', [command, rpc, ...args], { timeout: 25_000 });
    return stdout;
  }

  async members(): Promise<SerfMember[]> {
    const out = await this.cli('members', '-format=json').catch(() => '{"members":[]}');
    return (JSON.parse(out) as { members: SerfMember[] }).members;
  }

  async statusOf(name: string): Promise<string | undefined> {
    return (await this.members()).find((member) => member.name === name)?.status;
  }

  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** kill -9: the others must notice by themselves. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Ends without a leave, but with its snapshot written: its own writer holds lines back until the next one. */
  async terminate(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** Resolves when it ended by itself: after a leave. */
  async exited(): Promise<void> {
    await until(
      () => this.child?.exitCode !== null || this.child.signalCode !== null,
      `serf agent ${this.name} to end`,
    );
  }

  async stop(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
  }
}
