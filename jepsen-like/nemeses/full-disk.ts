/**
 * The disk of one server is filled to the last byte while large values are written, so that it needs more room than its log has
 * already allotted. It must stop with the reason, and start clean on the data it left once there is room again.
 */
import { closeSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessCluster } from '../real/cluster.ts';
import { missed, type Nemesis, victim } from './nemesis.ts';

/** More than a log allots ahead, in values that fit. */
const valueBytes = 256 * 1024;
const valuesMax = 72;
/** For a server that just met the full disk, and is about to stop. */
const stopMs = 1_500;

export const fullDisk: Nemesis = {
  name: 'full-disk',
  does: 'the small disk of one server is filled while large values are written: it stops with the reason; freed later',
  lastsMs: { least: 4_000, most: 9_000 },
  missing: ({ cluster }) =>
    cluster.hasSmallDisks ? undefined : 'needs small disks of their own (tmpfs): run with --small-disks as root',
  async strike(context) {
    const { cluster } = context;
    const server = await victim(context);
    if (!cluster.isRunning(server)) return missed(`server ${server} was not running`);
    const file = join(cluster.dataFolder(server), 'ballast');
    const logged = readFileSync(cluster.logFile(server), 'utf8').length;
    cluster.expectExit(server);
    fill(file);
    let over = false;
    const writing = writeLarge(cluster, server, () => over);
    return {
      what: `disk of server ${server} is full`,
      async heal() {
        over = true;
        await writing;
        const left = freeBytes(file);
        const stopped = await cluster.ended(server, stopMs);
        rmSync(file, { force: true });
        cluster.expectNoExit(server);
        cluster.launch(server);
        if (!stopped) return left < 4096 ? `${left} bytes were left; it did not need more` : undefined;
        const said = readFileSync(cluster.logFile(server), 'utf8').slice(logged);
        if (!/ENOSPC|No space left|MDB_MAP_FULL/i.test(said))
          cluster.complain(`server ${server} stopped on a full disk without giving the reason`);
        return 'it stopped with the reason';
      },
    };
  },
};

/** By way of the others, until the server has stopped. One key: only the logs grow. */
async function writeLarge(cluster: ProcessCluster, full: number, over: () => boolean): Promise<void> {
  const value = 'x'.repeat(valueBytes);
  const other = (full + 1) % cluster.size;
  for (let n = 0; n < valuesMax && !over() && cluster.isRunning(full); n++) {
    // Refused or lost: what counts is that it was tried.
    await cluster.ask(other, 'PUT', '/v1/kv/_large', value).catch(() => delay(200));
  }
}

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
