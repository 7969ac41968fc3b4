/** The log in files: a new one at each start, after a time, and past a size; the oldest go. */
import { closeSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';

export interface LogFileOptions {
  /** As configured: a file, or a directory with a final slash. */
  readonly path: string;
  /** 0: a day. */
  readonly rotateAfterMs: number;
  /** 0: no limit. */
  readonly rotateBytes: number;
  /** 0: all are kept; negative: none. */
  readonly filesMax: number;
  readonly nowMs: () => number;
}

const dayMs = 86_400_000;

export class LogFile {
  readonly #options: LogFileOptions;
  #descriptor = -1;
  #openedMs = 0;
  #bytes = 0;
  #last = 0n;

  /** Throws what the file system says. */
  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#open();
  }

  write(line: string): void {
    const { rotateAfterMs, rotateBytes, nowMs } = this.#options;
    const isOld = nowMs() - this.#openedMs >= (rotateAfterMs === 0 ? dayMs : rotateAfterMs);
    if (isOld || (rotateBytes > 0 && this.#bytes >= rotateBytes)) {
      this.close();
      this.#open();
      this.#prune();
    }
    this.#bytes += writeSync(this.#descriptor, `${line}\n`);
  }

  close(): void {
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  #open(): void {
    this.#openedMs = this.#options.nowMs();
    const wanted = BigInt(Math.floor(this.#openedMs)) * 1_000_000n;
    this.#last = wanted > this.#last ? wanted : this.#last + 1n;
    const { folder, stem, extension } = this.#name();
    this.#descriptor = openSync(join(folder, `${stem}-${this.#last}${extension}`), 'a', 0o640);
    this.#bytes = 0;
  }

  #name(): { folder: string; stem: string; extension: string } {
    const { path } = this.#options;
    const isFolder = path.endsWith('/') || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    if (isFolder) return { folder: path, stem: 'heddle', extension: '.log' };
    const extension = extname(path);
    return { folder: dirname(path), stem: basename(path, extension), extension: extension || '.log' };
  }

  #prune(): void {
    const { filesMax } = this.#options;
    if (filesMax === 0) return;
    const { folder, stem, extension } = this.#name();
    const all = readdirSync(folder).filter(
      (name) => name.startsWith(`${stem}-`) && name.endsWith(extension) && /-\d+$/.test(basename(name, extension)),
    );
    const kept = filesMax < 0 ? 1 : filesMax + 1;
    for (const name of all.sort().slice(0, Math.max(0, all.length - kept))) rmSync(join(folder, name), { force: true });
  }
}
