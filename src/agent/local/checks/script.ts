/** Runs a program: exit 0 passes, 1 warns, everything else is critical. Its whole process group ends with the timeout. */
import { spawn } from 'node:child_process';
import { formatDuration } from '../../../std/duration.ts';
import { TailBuffer } from './output.ts';
import type { Probe } from './periodic.ts';
import type { Outcome } from './runner.ts';

export interface Script {
  readonly args: readonly string[];
  readonly timeoutMs: number;
  readonly outputBytesMax: number;
}

/** What a program that was killed still may write; then its pipes are closed. */
const graceMs = 1_000;

export function scriptProbe(script: Script): Probe {
  return (signal) =>
    new Promise((resolve) => {
      const [file = '', ...args] = script.args;
      const output = new TailBuffer(script.outputBytesMax);
      const child = spawn(file, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
      let ended = false;
      const end = (outcome: Outcome): void => {
        if (ended) return;
        ended = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        resolve(outcome);
      };
      const killGroup = (): void => {
        if (child.pid === undefined) return;
        try {
          process.kill(-child.pid, 'SIGKILL');
        } catch (error) {
          // The group may have ended between the timeout and now; anything else is a defect.
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
        }
        setTimeout(() => {
          child.stdout.destroy();
          child.stderr.destroy();
        }, graceMs).unref();
      };
      const abort = (): void => {
        killGroup();
        end({ status: 'critical', output: 'stopped', certain: true });
      };
      const timer = setTimeout(() => {
        killGroup();
        const text = `Timed out (${formatDuration(script.timeoutMs * 1e6)}) running check`;
        const tail = output.text();
        end({ status: 'critical', output: tail === '' ? text : `${text}\n\n${tail}`, certain: true });
      }, script.timeoutMs);
      signal.addEventListener('abort', abort);
      child.stdout.on('data', (chunk: Buffer) => output.write(chunk));
      child.stderr.on('data', (chunk: Buffer) => output.write(chunk));
      child.on('error', (error) => end({ status: 'critical', output: startError(file, error), certain: true }));
      child.on('close', (code) =>
        end({ status: code === 0 ? 'passing' : code === 1 ? 'warning' : 'critical', output: output.text() }),
      );
    });
}

function startError(file: string, error: NodeJS.ErrnoException): string {
  const reason =
    error.code === 'ENOENT'
      ? 'no such file or directory'
      : error.code === 'EACCES'
        ? 'permission denied'
        : error.message;
  if (!file.includes('/') && error.code === 'ENOENT') {
    return `exec: ${JSON.stringify(file)}: executable file not found in $PATH`;
  }
  return `fork/exec ${file}: ${reason}`;
}
