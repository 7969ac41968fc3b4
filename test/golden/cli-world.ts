/** The small world that the recorded command lines need: agents as processes, and a shell that runs a case and writes it down. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Moved, recorded, type Step } from './cli-script.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

type Case = Step & { kind: 'case' };

export class World {
  readonly moved: Moved;
  /** What cases call. */
  readonly program: string;
  readonly #bundle: string;
  readonly #agents = new Map<string, ChildProcess>();

  /** Bundles the sources as they are. */
  constructor() {
    // 81 networks as long as the recording's, so that columns are as wide.
    const [a, b] = [1 + (process.pid % 9), 1 + (Math.floor(process.pid / 9) % 9)];
    this.moved = { network: `127.${a}.${b}.`, folder: mkdtempSync(join(tmpdir(), 'heddle-cli-')) };
    this.#bundle = join(root, '.vitest', `cli-${process.pid}`);
    run(process.execPath, [join(root, 'scripts/bundle.mjs'), this.#bundle]);
    this.program = join(this.#bundle, 'heddle');
    writeFileSync(this.program, `#!/bin/sh\nexec '${process.execPath}' '${this.#bundle}/entry.js' "$@"\n`, { mode: 0o755 });
  }

  startAgent({ name, address, args }: Step & { kind: 'agent' }): void {
    const { folder } = this.moved;
    const log = openSync(join(folder, 'log', `${name}.log`), 'w');
    const words = ['agent', `-node=${name}`, `-bind=${address}`, `-client=${address}`, `-data-dir=${folder}/data-${name}`];
    const child = spawn(process.execPath, [join(this.#bundle, 'entry.js'), ...words, '-hcl', 'performance { raft_multiplier = 1 }', ...args], {
      cwd: join(folder, 'w'),
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#agents.set(name, child);
  }

  killAgent(name: string): void {
    this.#agents.get(name)?.kill('SIGKILL');
  }

  /** Whether the shell condition holds within a minute (coordinates are told each fifteen seconds). */
  async until(condition: string): Promise<boolean> {
    const loop = `for i in $(seq 600); do if ${condition}; then exit 0; fi; sleep 0.1; done >/dev/null 2>&1; exit 1`;
    return (await this.#shell(loop, `${this.moved.network}1:8500`, 90)).status === 0;
  }

  /** Runs a case; the text has the form of a recording, in its names, not yet normalised. */
  async runCase({ command, seconds, address }: Case): Promise<string> {
    const { status, out, err } = await this.#shell(`set -o pipefail\n${quicker(command)}`, address, seconds);
    const parts = [`$ ${command}\n`, ended(out), `exit ${status}\n`];
    if (err !== '') parts.push('stderr:\n', ended(err));
    return this.#inRecordedNames(parts.join('').replaceAll('\0', '\\0'));
  }

  async stop(): Promise<void> {
    const ends = [...this.#agents.values()].map(
      (child) => child.exitCode ?? child.signalCode ?? new Promise((resolve) => child.once('exit', resolve)),
    );
    for (const child of this.#agents.values()) child.kill('SIGKILL');
    await Promise.all(ends);
    rmSync(this.moved.folder, { recursive: true });
    rmSync(this.#bundle, { recursive: true });
  }

  #inRecordedNames(text: string): string {
    return text
      .replaceAll(this.moved.network, recorded.network)
      .replaceAll(this.moved.folder, recorded.folder)
      .replaceAll('heddle', 'consul')
      .replaceAll('Heddle', 'Consul');
  }

  #shell(command: string, address: string, seconds = 60): Promise<{ status: number; out: string; err: string }> {
    const { folder } = this.moved;
    const env = {
      PATH: `${folder}/bin:${process.env.PATH}`,
      HOME: `${folder}/home`,
      TZ: 'UTC',
      LC_ALL: 'C',
      CONSUL_HTTP_ADDR: address,
    };
    return new Promise((resolve, reject) => {
      const child = spawn('timeout', ['-k', '5', String(seconds), 'bash', '-c', command], {
        cwd: join(folder, 'w'),
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const [out, err]: Buffer[][] = [[], []];
      child.stdout.on('data', (chunk: Buffer) => out!.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => err!.push(chunk));
      child.once('error', reject);
      child.once('close', (code, signal) =>
        resolve({
          status: code ?? (signal === 'SIGKILL' ? 137 : 1),
          out: Buffer.concat(out!).toString(),
          err: Buffer.concat(err!).toString(),
        }),
      );
    });
  }
}

function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n\\ no newline at end\n`;
}

/** What differs from run to run is masked by the recording's own rules; all texts in one go. */
export function normalised(script: string, texts: ReadonlyMap<string, string>): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-norm-'));
  try {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'all');
    const mark = '@@@@ ';
    writeFileSync(file, [...texts].map(([name, text]) => `${mark}${name}\n${text}`).join(''));
    const blocks = run('bash', [script, '--norm', file]).split(/^@@@@ /m).slice(1);
    return new Map(blocks.map((block) => [block.slice(0, block.indexOf('\n')), block.slice(block.indexOf('\n') + 1)]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26, cwd: root });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

/** A case that gives an agent four seconds to start waits for it instead. */
function quicker(command: string): string {
  // The log of a case before may still be there when the new process has not opened its own.
  const waiting = command.replace('sleep 4;', 'until grep -q running! d.log; do sleep 0.1; done;');
  return waiting === command ? command : `rm -f d.log; ${waiting}`;
}
