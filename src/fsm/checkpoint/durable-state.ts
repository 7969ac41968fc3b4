/**
 * The state machine as Raft drives it, on disk: a Store, the files it lives in, and the checkpoints made of it. Its methods
 * are those of Raft's `StateMachine`; the two rooms do not know each other, whoever builds a server puts them together.
 */

import { constants, readdirSync, rmSync } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assert } from '../../std/assert.ts';
import { HeddleError } from '../../std/errors.ts';
import { type ApplyResult, Store, type StoreEntry, type StoreOptions } from '../store.ts';
import { LmdbStorage } from '../tables/lmdb-storage.ts';
import { type CheckpointFile, CheckpointFiles, type Receiver, syncFile } from './checkpoint-files.ts';
import {
  currentBootId,
  ensureDirectory,
  isTrusted,
  type Mark,
  nextRowsFile,
  readMark,
  syncDirectoryInBackground,
  writeMark,
  writeMarkInBackground,
} from './state-directory.ts';
import { isWholeRowsFile } from './whole-rows.ts';

/** How the state came to be what it is when a server starts. */
export type Opened = 'new' | 'as left' | 'rebuilt from checkpoint' | 'rebuilt from nothing';

export class DurableState {
  readonly store: Store;
  readonly opened: Opened;
  /** Where the files are. What is put here under a name that begins with `scratch-` is gone at the next start. */
  readonly directory: string;
  readonly #checkpoints: CheckpointFiles;
  readonly #bootId: string;
  #storage: LmdbStorage;
  #file: string;
  #making: Promise<CheckpointFile> | undefined;
  #closed = false;

  private constructor(
    directory: string,
    start: {
      readonly opened: Opened;
      readonly file: string;
      readonly bootId: string;
      readonly checkpoints: CheckpointFiles;
    },
    options: StoreOptions,
  ) {
    this.directory = directory;
    this.opened = start.opened;
    this.#checkpoints = start.checkpoints;
    this.#bootId = start.bootId;
    this.#file = start.file;
    this.#storage = new LmdbStorage(join(directory, start.file));
    this.store = new Store(this.#storage, options);
  }

  /**
   * Opens the state in a directory, or makes one. After a power loss, or where its file was cut off, it is rebuilt from the newest checkpoint that is whole;
   * Raft's log brings it up from there. `bootId` is for tests.
   */
  static async open(directory: string, options: StoreOptions, bootId = currentBootId()): Promise<DurableState> {
    ensureDirectory(directory);
    const checkpoints = new CheckpointFiles(join(directory, 'checkpoints'));
    const mark = readMark(directory);
    const { opened, file } = await chooseRows(directory, mark, checkpoints, bootId);
    removeRubbish(directory, file);
    writeMark(directory, { file, bootId, clean: false });
    return new DurableState(directory, { opened, file, bootId, checkpoints }, options);
  }

  /** The last Raft entry in the state. */
  get appliedIndex(): number {
    return this.store.raftIndex;
  }

  apply(entries: readonly StoreEntry[]): readonly ApplyResult[] {
    return this.store.apply(entries);
  }

  /** Makes a checkpoint in the background, while entries are applied. One at a time: a second call joins the first. */
  checkpoint(): Promise<CheckpointFile> {
    this.#making ??= this.#checkpoints.make(this.#storage).finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  latestCheckpoint(): CheckpointFile | undefined {
    return this.#checkpoints.list()[0];
  }

  readCheckpoint(file: CheckpointFile, offset: number, bytesMax: number): Promise<Uint8Array> {
    return this.#checkpoints.read(file, offset, bytesMax);
  }

  receiveCheckpoint(file: CheckpointFile): Promise<Receiver> {
    return this.#checkpoints.receive(file);
  }

  /** A compacted copy of the committed state at `path`, for whoever reads all of it: a consistent view at no one's cost. */
  async copyTo(path: string): Promise<void> {
    await this.#storage.copyTo(path);
  }

  /** Replaces the state by a finished checkpoint. A crash leaves either the old state or the new one. */
  async restore(file: CheckpointFile): Promise<void> {
    await this.#making?.catch(() => undefined); // who asked for it has its error
    await this.#checkpoints.verify(file);
    const next = nextRowsFile(this.#file);
    await copyDurably(this.#checkpoints.pathOf(file), join(this.directory, next));
    const storage = new LmdbStorage(join(this.directory, next));
    await writeMarkInBackground(this.directory, { file: next, bootId: this.#bootId, clean: false });
    const old = { storage: this.#storage, file: this.#file };
    this.#storage = storage;
    this.#file = next;
    this.store.replaceStorage(storage);
    assert(this.store.raftIndex === file.index, 'a checkpoint holds the entry that it is named after');
    await old.storage.close();
    await removeRows(join(this.directory, old.file));
  }

  /** Ends all waiting, puts everything on the disk and says so. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.store.close();
    await this.#making?.catch(() => undefined); // who asked for it has its error
    this.#storage.sync();
    await this.#storage.close();
    writeMark(this.directory, { file: this.#file, bootId: this.#bootId, clean: true });
  }
}

async function chooseRows(
  directory: string,
  mark: Mark | undefined,
  checkpoints: CheckpointFiles,
  bootId: string,
): Promise<{ readonly opened: Opened; readonly file: string }> {
  if (mark === undefined) return { opened: 'new', file: nextRowsFile(undefined) };
  if (isTrusted(mark, bootId) && isWholeRowsFile(join(directory, mark.file)))
    return { opened: 'as left', file: mark.file };
  const file = nextRowsFile(mark.file);
  for (const checkpoint of checkpoints.list()) {
    try {
      await checkpoints.verify(checkpoint);
    } catch (error) {
      // An older one may be whole; if the log does not reach back to it, Raft refuses to start.
      if (error instanceof HeddleError && error.code === 'CHECKPOINT_CORRUPT') continue;
      throw error;
    }
    await copyDurably(checkpoints.pathOf(checkpoint), join(directory, file));
    return { opened: 'rebuilt from checkpoint', file };
  }
  return { opened: 'rebuilt from nothing', file };
}

/** Copies a file and makes it durable. Nothing names it yet, so a crash in the middle leaves rubbish and no harm. */
async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await syncFile(to);
  await syncDirectoryInBackground(dirname(to));
}

async function removeRows(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(`${path}-lock`, { force: true });
}

/** What crashes left: rows files that no mark names, and scratch. */
function removeRubbish(directory: string, kept: string): void {
  for (const name of readdirSync(directory)) {
    const isOldRows = name.startsWith('rows-') && name !== kept && name !== `${kept}-lock`;
    if (isOldRows || name.startsWith('scratch-')) rmSync(join(directory, name), { recursive: true });
  }
}
