/**
 * The snapshot on disk. Lines gather and are appended at most twice a second; when the file has grown too long it is
 * written anew beside itself and takes its own place. A failed write is reported and tried again with the next lines:
 * a member without a snapshot still works, it only forgets.
 */
import { appendFile, readFile, rename, stat, writeFile } from 'node:fs/promises';
import type { Clock } from '../../std/clock.ts';
import { compactSnapshot, emptySnapshot, parseSnapshot, type Snapshot, snapshotBytesMax } from '../serf/snapshot.ts';

const flushMs = 500;

export interface SnapshotSource {
  /** What is true now. */
  snapshot(): Omit<Snapshot, 'unknownLines'>;
  /** Lines of the clocks that moved since the last call. */
  clockLines(): string[];
  failed(error: Error): void;
}

export class SnapshotFile {
  private readonly path: string;
  private readonly clock: Clock;
  private readonly source: SnapshotSource;
  private pending: string[] = [];
  private bytes = 0;
  private cancel: (() => void) | undefined;
  private writing: Promise<void> = Promise.resolve();
  private left = false;

  private constructor(path: string, clock: Clock, source: SnapshotSource, bytes: number) {
    this.path = path;
    this.clock = clock;
    this.source = source;
    this.bytes = bytes;
  }

  static async read(path: string, rejoinAfterLeave: boolean): Promise<Snapshot> {
    try {
      return parseSnapshot(await readFile(path, 'utf8'), rejoinAfterLeave);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return emptySnapshot;
      throw error;
    }
  }

  static async open(path: string, clock: Clock, source: SnapshotSource): Promise<SnapshotFile> {
    await appendFile(path, '', { mode: 0o600 });
    return new SnapshotFile(path, clock, source, (await stat(path)).size);
  }

  /** Something happened; after `leave` nothing more is recorded. */
  add(line: string): void {
    if (this.left) return;
    this.pending.push(line);
    this.plan();
  }

  /** The member leaves: this is the last word. */
  addLeave(line: string): void {
    this.add(line);
    this.left = true;
  }

  /** A clock may have moved. */
  touch(): void {
    if (!this.left) this.plan();
  }

  private plan(): void {
    this.cancel ??= this.clock.after(flushMs, () => {
      this.cancel = undefined;
      this.flush();
    });
  }

  private flush(): void {
    if (!this.left) this.pending.push(...this.source.clockLines());
    const lines = this.pending;
    if (lines.length === 0) return;
    this.pending = [];
    const text = `${lines.join('\n')}\n`;
    this.writing = this.writing.then(async () => {
      try {
        await appendFile(this.path, text);
        this.bytes += Buffer.byteLength(text);
        await this.compactIfLong();
      } catch (error) {
        this.pending.unshift(...lines);
        this.source.failed(error as Error);
      }
    });
  }

  private async compactIfLong(): Promise<void> {
    const now = this.source.snapshot();
    if (this.left || this.bytes <= snapshotBytesMax(now.alive.size)) return;
    const text = compactSnapshot(now);
    await writeFile(`${this.path}.compact`, text, { mode: 0o600, flush: true });
    await rename(`${this.path}.compact`, this.path);
    this.bytes = Buffer.byteLength(text);
  }

  async close(): Promise<void> {
    this.cancel?.();
    this.cancel = undefined;
    this.flush();
    await this.writing;
  }
}
