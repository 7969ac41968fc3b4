/**
 * Checkpoints on disk: compacted LMDB copies, each beside a small description with its size and checksum. A checkpoint
 * exists once its description does; a copy without one is rubbish from a crash and is removed at the next start.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HeddleError } from '../../std/errors.ts';
import { LmdbStorage } from '../tables/lmdb-storage.ts';
import { StateRows } from '../tables/state-rows.ts';
import { ensureDirectory, syncDirectoryInBackground, writeDurablyInBackground } from './state-directory.ts';

/** A finished checkpoint, as Raft knows it. */
export interface CheckpointFile {
  readonly id: string;
  /** The last Raft entry in it. */
  readonly index: number;
  readonly sizeBytes: number;
  /** SHA-256 of the whole file, hexadecimal. */
  readonly checksum: string;
}

/** How many are kept: the newest, and the one before it, which a follower may still be reading. */
const keptMax = 2;

export class CheckpointFiles {
  readonly #directory: string;
  /** What the directory holds, as last read: nobody else writes to it. */
  #known: readonly CheckpointFile[] | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    ensureDirectory(directory);
    this.#removeRubbish();
  }

  pathOf(file: Pick<CheckpointFile, 'id'>): string {
    return join(this.#directory, `${file.id}.mdb`);
  }

  /** Finished checkpoints, the newest first. */
  list(): readonly CheckpointFile[] {
    this.#known ??= readdirSync(this.#directory)
      .filter((name) => name.endsWith('.json'))
      .map((name) => JSON.parse(readFileSync(join(this.#directory, name), 'utf8')) as CheckpointFile)
      .sort((a, b) => b.index - a.index || (a.id < b.id ? 1 : -1));
    return this.#known;
  }

  /** Copies the committed state in the background and makes it a checkpoint. */
  async make(storage: LmdbStorage): Promise<CheckpointFile> {
    const beside = join(this.#directory, `copy-${randomUUID()}.part`);
    try {
      await storage.copyTo(beside);
      await syncFile(beside);
      return await this.#adopt(beside, await raftIndexIn(beside));
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  }

  async #adopt(path: string, index: number): Promise<CheckpointFile> {
    const { size } = await stat(path);
    const file = {
      id: `${index}-${randomUUID().slice(0, 8)}`,
      index,
      sizeBytes: size,
      checksum: await checksumOf(path),
    };
    await rename(path, this.pathOf(file));
    await this.#describe(file);
    return file;
  }

  /** Nothing here holds the event loop: an fsync beside a busy disk takes tens of milliseconds, and so does removing a large file. */
  async #describe(file: CheckpointFile): Promise<void> {
    await syncDirectoryInBackground(this.#directory);
    await writeDurablyInBackground(join(this.#directory, `${file.id}.json`), `${JSON.stringify(file)}\n`);
    this.#known = undefined;
    for (const old of this.list().slice(keptMax)) await this.#remove(old);
  }

  async read(file: CheckpointFile, offset: number, bytesMax: number): Promise<Uint8Array> {
    const handle = await open(this.pathOf(file), 'r');
    try {
      const buffer = Buffer.alloc(Math.max(0, Math.min(bytesMax, file.sizeBytes - offset)));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }

  /** Starts or resumes taking in a checkpoint from another server. */
  async receive(file: CheckpointFile): Promise<Receiver> {
    const path = join(this.#directory, `incoming-${file.checksum}.part`);
    const handle = await open(path, 'a', 0o600);
    const { size } = await handle.stat();
    return new Receiver(handle, size, async () => {
      await handle.sync();
      const written = (await handle.stat()).size;
      await handle.close();
      const checksum = await checksumOf(path);
      if (written !== file.sizeBytes || checksum !== file.checksum) {
        await rm(path, { force: true });
        throw new HeddleError(
          'CHECKPOINT_CORRUPT',
          `a received checkpoint has ${written} bytes with checksum ${checksum}`,
          {
            expectedBytes: file.sizeBytes,
            expectedChecksum: file.checksum,
          },
        );
      }
      await rename(path, this.pathOf(file));
      await this.#describe(file);
    });
  }

  /** Throws `CHECKPOINT_CORRUPT` if the file is not what its description says. */
  async verify(file: CheckpointFile): Promise<void> {
    const checksum = await checksumOf(this.pathOf(file));
    if (checksum === file.checksum) return;
    throw new HeddleError('CHECKPOINT_CORRUPT', `checkpoint ${file.id} has checksum ${checksum}`, {
      expectedChecksum: file.checksum,
    });
  }

  async #remove(file: CheckpointFile): Promise<void> {
    // The description goes first: without it the copy is rubbish, the other way round it would be a lie.
    await rm(join(this.#directory, `${file.id}.json`), { force: true });
    this.#known = undefined;
    await rm(this.pathOf(file), { force: true });
  }

  #removeRubbish(): void {
    const kept = new Set(this.list().flatMap((file) => [`${file.id}.json`, `${file.id}.mdb`]));
    for (const name of readdirSync(this.#directory)) {
      if (!kept.has(name) && !name.startsWith('incoming-')) rmSync(join(this.#directory, name), { force: true });
    }
  }
}

/** Takes the bytes of one checkpoint, in order. */
export class Receiver {
  readonly offset: number;
  readonly #handle: FileHandle;
  readonly #finish: () => Promise<void>;

  constructor(handle: FileHandle, offset: number, finish: () => Promise<void>) {
    this.#handle = handle;
    this.offset = offset;
    this.#finish = finish;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#handle.appendFile(chunk);
  }

  /** Rejects, and forgets the bytes, if they are not the checkpoint that was announced. */
  finish(): Promise<void> {
    return this.#finish();
  }

  async abort(): Promise<void> {
    await this.#handle.close();
  }
}

/** The last Raft entry in the state of a rows file. */
async function raftIndexIn(path: string): Promise<number> {
  const storage = new LmdbStorage(path, { readOnly: true });
  try {
    return new StateRows(storage).meta.raftIndex;
  } finally {
    await storage.close();
    await rm(`${path}-lock`, { force: true });
  }
}

export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function checksumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
