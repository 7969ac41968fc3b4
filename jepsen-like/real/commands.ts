/** Programs that a fault needs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export function commandExists(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0;
}

/** Runs to its end; throws with what it printed. */
export function command(program: string, ...words: string[]): string {
  return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Whether the kernel holds a process stopped (SIGSTOP). False where there is no /proc. */
export function isStopped(pid: number): boolean {
  try {
    // The program's name, in brackets, may hold anything: fields are counted behind it.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.startsWith('T');
  } catch {
    return false;
  }
}
