/** Every fsync of one server takes a fifth of a second longer: what a failing or shared disk does. */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { commandExists } from '../real/commands.ts';
import { missed, type Nemesis, victim } from './nemesis.ts';

export const slowDisk: Nemesis = {
  name: 'slow-disk',
  does: 'fdatasync, fsync and msync of one server are delayed by 200 ms (strace)',
  // On a busy machine a second or two pass until strace holds every thread.
  lastsMs: { least: 3_000, most: 6_000 },
  missing: () => (commandExists('strace') ? undefined : 'strace is not installed'),
  async strike(context) {
    const server = await victim(context);
    if (!context.cluster.isRunning(server)) return missed(`server ${server} was not running`);
    const traced = join(context.cluster.folder, `slow-disk-s${server}.strace`);
    const words = [
      '-f',
      '-qq',
      '-o',
      traced,
      '-e',
      'trace=fdatasync,fsync,msync',
      '-e',
      'inject=fdatasync,fsync,msync:delay_enter=200000',
    ];
    const tracer = spawn('strace', [...words, '-p', String(context.cluster.pid(server))], { stdio: 'ignore' });
    return {
      what: `fsync of server ${server} takes 200 ms more`,
      async heal() {
        if (tracer.exitCode !== null) return undefined;
        const gone = new Promise((resolve) => tracer.once('exit', resolve));
        tracer.kill('SIGINT');
        await gone;
        const delayed = readFileSync(traced, 'utf8').split('(DELAYED)').length - 1;
        rmSync(traced, { force: true });
        return delayed > 0 ? `${delayed} calls delayed` : undefined;
      },
    };
  },
};
