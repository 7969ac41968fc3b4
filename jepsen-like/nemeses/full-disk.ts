/** The disk of one server is filled to the last byte, and freed again. */
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Nemesis, victim } from './nemesis.ts';

export const fullDisk: Nemesis = {
  name: 'full-disk',
  does: 'the small disk of one server is filled, and freed later',
  missing: ({ cluster }) =>
    cluster.hasSmallDisks ? undefined : 'needs small disks of their own (tmpfs): run with --small-disks as root',
  async strike(context) {
    const server = await victim(context);
    const file = join(context.cluster.dataFolder(server), 'ballast');
    const { cluster } = context;
    cluster.expectExit(server);
    fill(file);
    return {
      what: `disk of server ${server} is full`,
      async heal() {
        const left = freeBytes(file);
        rmSync(file, { force: true });
        // A server that met the full disk stops with the reason, as it must; one that just met it may be about to.
        const stopped = await cluster.ended(server, stopMs);
        cluster.expectNoExit(server);
        cluster.launch(server);
        return left < 4096 ? `${left} bytes were left, ${stopped ? 'it stopped' : 'it went on'}` : undefined;
      },
    };
  },
};

const stopMs = 1_500;

function freeBytes(file: string): number {
  const { bavail, bsize } = statfsSync(file);
  return Number(bavail) * Number(bsize);
}

function fill(file: string): void {
  const handle = openSync(file, 'w');
  try {
    const chunk = Buffer.alloc(64 * 1024);
    for (;;) {
      const left = freeBytes(file);
      if (left < 4096) return;
      writeSync(handle, chunk, 0, Math.min(chunk.length, left));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(handle);
  }
}
