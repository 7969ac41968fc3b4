/** The files of the log as the store needs them: so few operations that a test can put a disk of its own behind them. */
import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  write,
  writeSync,
} from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DiskPace } from './disk-pace.ts';

export interface SegmentFile {
  readonly sizeBytes: number;
  /** Into the page cache; durable after the next `sync`. */
  write(bytes: Uint8Array, at: number): Promise<void> | undefined;
  /** `mayHold`: it may be done before this returns, if the disk is known to be quick; then nothing is returned. */
  sync(mayHold: boolean): Promise<void> | undefined;
  read(at: number, bytes: number): Buffer;
  close(): void;
}

export interface SegmentFolder {
  /** Numbers of the segments that are there, ascending. */
  list(): number[];
  /** A file of zeros, durable with its name when the promise resolves, or not there at all. */
  create(number: number, sizeBytes: number): Promise<SegmentFile>;
  open(number: number): SegmentFile;
  remove(number: number): Promise<void>;
}

/** Writes up to this size are copied into the page cache at once; a trip through the thread pool would cost more. */
const immediateBytesMax = 64 * 1024;
const zeroBytes = 256 * 1024;
/** Entries hold keys and tokens. */
const ownerOnly = 0o600;

const writeAsync = promisify(write);
const fdatasyncAsync = promisify(fdatasync);

class DiskFile implements SegmentFile {
  readonly sizeBytes: number;
  readonly #fd: number;
  readonly #pace: DiskPace;
  #unsyncedBytes = 0;

  constructor(fd: number, sizeBytes: number, pace: DiskPace) {
    this.#fd = fd;
    this.sizeBytes = sizeBytes;
    this.#pace = pace;
  }

  write(bytes: Uint8Array, at: number): Promise<void> | undefined {
    this.#unsyncedBytes += bytes.length;
    if (bytes.length > immediateBytesMax) return this.#writeLarge(bytes, at);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done, bytes.length - done, at + done);
    return undefined;
  }

  sync(mayHold: boolean): Promise<void> | undefined {
    const small = this.#unsyncedBytes <= immediateBytesMax;
    this.#unsyncedBytes = 0;
    if (!small) return fdatasyncAsync(this.#fd);
    const startMs = performance.now();
    const done = (): void => this.#pace.took(performance.now() - startMs);
    if (!mayHold || !this.#pace.isQuick) return fdatasyncAsync(this.#fd).then(done);
    fdatasyncSync(this.#fd);
    done();
    return undefined;
  }

  read(at: number, bytes: number): Buffer {
    const buffer = Buffer.allocUnsafe(bytes);
    let done = 0;
    while (done < bytes) {
      const read = readSync(this.#fd, buffer, done, bytes - done, at + done);
      if (read === 0) break;
      done += read;
    }
    return buffer.subarray(0, done);
  }

  close(): void {
    closeSync(this.#fd);
  }

  async #writeLarge(bytes: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += (await writeAsync(this.#fd, bytes, done, bytes.length - done, at + done)).bytesWritten;
    }
  }
}

/** Segments in the directory `path`, which is created if need be. */
export function diskFolder(path: string): SegmentFolder {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const pace = new DiskPace();
  const nameOf = (number: number): string => join(path, `${String(number).padStart(10, '0')}.log`);
  const syncNames = (): void => {
    const fd = openSync(path, constants.O_RDONLY);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  };
  return {
    list: () => {
      for (const name of readdirSync(path)) if (name.endsWith('.new')) rmSync(join(path, name));
      return readdirSync(path)
        .flatMap((name) => /^(\d{10})\.log$/.exec(name)?.[1] ?? [])
        .map(Number)
        .sort((a, b) => a - b);
    },
    create: async (number, sizeBytes) => {
      const unfinished = `${nameOf(number)}.new`;
      const fd = openSync(unfinished, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, ownerOnly);
      try {
        // Real zeros and not a hole: a write into them changes no metadata, so its sync is one write to the disk.
        const zeros = Buffer.alloc(zeroBytes);
        for (let at = 0; at < sizeBytes; at += zeroBytes) {
          await writeAsync(fd, zeros, 0, Math.min(zeroBytes, sizeBytes - at), at);
          await fdatasyncAsync(fd);
        }
        renameSync(unfinished, nameOf(number));
        syncNames();
      } catch (error) {
        closeSync(fd);
        rmSync(unfinished, { force: true });
        throw error;
      }
      return new DiskFile(fd, sizeBytes, pace);
    },
    open: (number) => {
      const fd = openSync(nameOf(number), constants.O_RDWR);
      return new DiskFile(fd, statSync(nameOf(number)).size, pace);
    },
    remove: (number) => unlink(nameOf(number)),
  };
}

/** Does the directory hold the log of a version that kept it in LMDB? */
export const holdsOlderLog = (path: string): boolean => existsSync(join(path, 'data.mdb'));
