/** Keeps the snapshot file as the pool says, clocks included. */
import type { Clock } from '../std/clock.ts';
import type { Logger } from './api.ts';
import type { Pool } from './serf/pool.ts';
import { type Snapshot, snapshotLine } from './serf/snapshot.ts';
import { SnapshotFile } from './transport/snapshot-file.ts';

type Clocks = Pick<Snapshot, 'clock' | 'eventClock' | 'queryClock'>;

export class SnapshotKeeper {
  private readonly pool: Pool;
  private file: SnapshotFile | undefined;
  private written: Clocks;

  private constructor(pool: Pool, written: Clocks) {
    this.pool = pool;
    this.written = written;
  }

  /** Goes on from what was read. */
  static async open(
    path: string,
    snapshot: Snapshot,
    parts: { readonly pool: Pool; readonly clock: Clock; readonly logger: Logger },
  ): Promise<SnapshotKeeper> {
    const { pool, clock, logger } = parts;
    if (snapshot.unknownLines > 0) {
      logger.warn({ path, lines: snapshot.unknownLines }, 'the snapshot has lines that nobody can read');
    }
    const keeper = new SnapshotKeeper(pool, snapshot);
    keeper.file = await SnapshotFile.open(path, clock, {
      snapshot: () => pool.snapshot(),
      clockLines: () => keeper.clockLines(),
      failed: (error) => logger.error({ path, error: error.message }, 'the snapshot could not be written'),
    });
    return keeper;
  }

  /** Clocks may have moved. */
  touch(): void {
    this.file?.touch();
  }

  add(line: string): void {
    if (line === snapshotLine.leave) this.file?.addLeave(line);
    else this.file?.add(line);
  }

  async close(): Promise<void> {
    await this.file?.close();
  }

  private clockLines(): string[] {
    const now = this.pool.snapshot();
    const before = this.written;
    this.written = now;
    const lines: string[] = [];
    if (now.clock !== before.clock) lines.push(snapshotLine.clock(now.clock));
    if (now.eventClock !== before.eventClock) lines.push(snapshotLine.eventClock(now.eventClock));
    if (now.queryClock !== before.queryClock) lines.push(snapshotLine.queryClock(now.queryClock));
    return lines;
  }
}
