// Processes that the demo starts, what they print, and their end: everything started here is stopped, also on Ctrl-C.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const running = new Set();

export class Process {
  lines = [];
  exitCode = null;
  #waiters = new Set();

  constructor(name, command, args, { env = {}, ...options } = {}) {
    this.name = name;
    this.startedMs = performance.now();
    this.child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...options,
      env: { ...process.env, NO_COLOR: '1', ...env },
    });
    this.exited = new Promise((resolve) => {
      this.child.on('error', (error) => this.#line(`${command}: ${error.message}`));
      this.child.on('close', (code, signal) => {
        this.exitCode = code ?? `signal ${signal}`;
        running.delete(this);
        resolve(this.exitCode);
        this.#wake();
      });
    });
    for (const stream of [this.child.stdout, this.child.stderr]) this.#read(stream);
    this.child.stdin.on('error', () => {}); // it ended before it read all: its exit code says so
    running.add(this);
  }

  get pid() {
    return this.child.pid;
  }

  get text() {
    return this.lines.join('\n');
  }

  /** The first line from `from` on that matches, or null after `ms`, or when the process ended without it. */
  async line(pattern, { ms = 10_000, from = 0 } = {}) {
    const find = () => this.lines.slice(from).find((line) => pattern.test(line)) ?? null;
    const deadline = performance.now() + ms;
    while (find() === null && this.exitCode === null && performance.now() < deadline) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, Math.max(1, deadline - performance.now()));
        const wake = () => {
          clearTimeout(timer);
          this.#waiters.delete(wake);
          resolve();
        };
        this.#waiters.add(wake);
      });
    }
    return find();
  }

  async stop() {
    if (this.exitCode !== null) return;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 8_000);
    await this.exited;
    clearTimeout(timer);
  }

  #read(stream) {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) this.#line(line);
    });
    stream.on('end', () => {
      if (rest !== '') this.#line(rest);
    });
  }

  #line(line) {
    this.lines.push(line);
    this.#wake();
  }

  #wake() {
    for (const wake of [...this.#waiters]) wake();
  }
}

/** The youngest first, so that nobody loses what it stands on. */
export async function stopAll() {
  for (const each of [...running].reverse()) await each.stop();
}

/** Runs to the end; output in the order of arrival. */
export async function run(command, args, { input, ms = 30_000, ...options } = {}) {
  const started = new Process(command, command, args, options);
  started.child.stdin.end(input ?? '');
  const timer = setTimeout(() => started.child.kill('SIGKILL'), ms);
  const code = await started.exited;
  clearTimeout(timer);
  return { code, output: started.text };
}

/** Resident memory of a process in MB, and the ids of its children; nulls where the system does not tell. */
export function inspect(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const rssMb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN) / 1024;
    const children = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((name) => parentOf(name) === pid)
      .map(Number);
    return { rssMb: Math.round(rssMb), children };
  } catch {
    return { rssMb: null, children: [] }; // no /proc on this system: the figure is left out
  }
}

/** A process and all that it started, parents first; itself alone where the system does not tell. */
export function treeOf(pid) {
  return [pid, ...inspect(pid).children.flatMap(treeOf)];
}

function parentOf(pid) {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return null; // it ended between the listing and the look
  }
}

export const onPath = async (command) => {
  const probe = await run(command, ['--version']);
  return probe.code === 0;
};
