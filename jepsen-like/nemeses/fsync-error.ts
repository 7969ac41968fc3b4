/**
 * The disk of one server refuses to make writes durable. It must stop at the first refusal, non-zero and with the reason, and
 * start clean on the data it left: nobody knows what a disk holds after a failed fsync.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { commandExists } from '../real/commands.ts';
import { missed, type Nemesis, victim } from './nemesis.ts';

/** Generous: the writes go on, so a busy machine's next fsync is what we wait for. */
const stopMs = 15_000;

export const fsyncError: Nemesis = {
  name: 'fsync-error',
  does: 'fdatasync, fsync and msync of one server fail with EIO (strace): it stops with the reason and starts again',
  missing: () => (commandExists('strace') ? undefined : 'strace is not installed'),
  async strike(context) {
    const { cluster } = context;
    const server = await victim(context);
    if (!cluster.isRunning(server)) return missed(`server ${server} was not running`);
    cluster.expectExit(server);
    const before = readFileSync(cluster.logFile(server), 'utf8').length;
    const calls = 'fdatasync,fsync,msync';
    const words = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${calls}:error=EIO`];
    const tracer = spawn('strace', [...words, '-p', String(cluster.pid(server))], { stdio: 'ignore' });
    return {
      what: `fsync of server ${server} fails`,
      async heal() {
        const stopped = await cluster.ended(server, stopMs);
        if (stopped) {
          const said = readFileSync(cluster.logFile(server), 'utf8').slice(before);
          if (!/EIO|Input\/output error|storageFailed/i.test(said))
            cluster.complain(`server ${server} stopped on a failed fsync without giving the reason`);
          if (/Exit code: code=0\b/.test(said)) cluster.complain(`server ${server} ended with 0 on a failed fsync`);
        } else {
          cluster.complain(`server ${server} went on for ${stopMs} ms while no fsync succeeded`);
          await cluster.kill(server);
        }
        tracer.kill('SIGKILL');
        cluster.launch(server);
        return stopped ? 'it stopped with the reason' : undefined;
      },
    };
  },
};
