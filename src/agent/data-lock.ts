/**
 * One agent a data directory: two would write one log and one state. The file `agent.lock` names the process that has it,
 * by its id and the moment it started. A killed agent leaves the file behind: it counts for nothing once no process has
 * that id, or another one that started later.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from './config/index.ts';

interface Holder {
  readonly pid: number;
  /** Clock ticks between the machine's boot and the start of the process; '' where the system does not say. */
  readonly started: string;
}

/** Takes the directory and returns what gives it back. Throws ConfigError when a running process has it. */
export function lockDataDir(directory: string): () => void {
  const path = join(directory, 'agent.lock');
  const mine = `${path}.${process.pid}`;
  // Complete before it has its name: a link appears whole, and only where no other is.
  writeFileSync(mine, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }), { mode: 0o600 });
  try {
    for (;;) {
      if (linked(mine, path)) return () => rmSync(path, { force: true });
      const text = readIfThere(path);
      if (text === undefined) continue; // given back just now
      const holder = parsed(text);
      if (holder !== undefined && isRunning(holder)) throw inUse(directory, holder.pid);
      setAside(path, `${mine}.stale`, text);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

function inUse(directory: string, pid: number): ConfigError {
  return new ConfigError(
    `data_dir ${JSON.stringify(directory)} is in use by another agent (process ${pid}): stop it, or choose another -data-dir`,
  );
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes what a dead process left. If another start was faster, and this is its lock already, it gets it back. */
function setAside(path: string, aside: string, seen: string): void {
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(aside, 'utf8') !== seen) linked(aside, path);
  rmSync(aside, { force: true });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined for what no agent writes (a file cut short by a power loss). */
function parsed(text: string): Holder | undefined {
  try {
    const { pid, started } = JSON.parse(text) as Partial<Holder>;
    return Number.isSafeInteger(pid) && pid! > 0 && typeof started === 'string' ? { pid: pid!, started } : undefined;
  } catch {
    return undefined;
  }
}

function isRunning({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Not permitted to send it a signal: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM' && startOf(pid) === started;
  }
  return startOf(pid) === started;
}

/** Field 22 of /proc/<pid>/stat; the name of the program, field 2, may hold anything, brackets as well. */
function startOf(pid: number): string {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat === undefined ? '' : (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '');
}
