/**
 * The real state machine (every command, query and watch of Heddle) on a disk in memory. What is applied survives the death of
 * the process, as the kernel's pages do, and not a power loss: then it is the last checkpoint again, and the log brings it up.
 */
import { createHash } from 'node:crypto';
import { Packr } from 'msgpackr';
import { type ApplyResult, MemoryStorage, type Storage, Store, type StoreOptions, stateHash } from '../../fsm/index.ts';
import type { CheckpointFile, CheckpointReceiver, CommittedEntry, StateMachine } from '../../raft/index.ts';
import { assert } from '../../std/assert.ts';

/** A checkpoint as bytes: all rows of the storage, in key order. */
type Rows = readonly (readonly [key: string, value: Uint8Array])[];
const codec = new Packr({ useRecords: false, copyBuffers: true } as unknown as ConstructorParameters<typeof Packr>[0]);

/** How long the writing of a checkpoint takes, ms. */
const checkpointMs = 20;

export class MemoryState implements StateMachine {
  #storage = new MemoryStorage();
  #store: Store;
  #later: (delayMs: number, callback: () => void) => void;
  readonly #name: string;
  readonly #files = new Map<string, Uint8Array>();
  #latest: CheckpointFile | undefined;
  #made = 0;

  constructor(name: string, options: StoreOptions, later: (delayMs: number, callback: () => void) => void) {
    this.#name = name;
    this.#later = later;
    this.#store = new Store(this.#storage, options);
  }

  /** The process starts again on what its disk holds. */
  reopen(options: StoreOptions, later: (delayMs: number, callback: () => void) => void): void {
    this.#store.close();
    this.#later = later;
    this.#store = new Store(this.#storage, options);
  }

  /** The state goes back to the last durable checkpoint. Call `reopen` before it is used again. */
  losePower(): void {
    const file = this.#latest;
    this.#storage = file === undefined ? new MemoryStorage() : this.#load(file);
  }

  get store(): Store {
    return this.#store;
  }

  /** Equal on servers that applied the same entries. */
  hash(): string {
    return stateHash(this.#storage);
  }

  get appliedIndex(): number {
    return this.#store.raftIndex;
  }

  apply(entries: readonly CommittedEntry[]): readonly ApplyResult[] {
    return this.#store.apply(entries);
  }

  checkpoint(): Promise<CheckpointFile> {
    const bytes = dump(this.#storage);
    const id = `${this.#name}-${++this.#made}`;
    const file = { id, index: this.appliedIndex, sizeBytes: bytes.length, checksum: checksumOf(bytes) };
    return new Promise((resolve) => {
      this.#later(checkpointMs, () => {
        this.#keep(file, bytes);
        resolve(file);
      });
    });
  }

  latestCheckpoint(): CheckpointFile | undefined {
    return this.#latest;
  }

  async readCheckpoint({ id }: CheckpointFile, offset: number, bytesMax: number): Promise<Uint8Array> {
    const bytes = this.#files.get(id);
    if (bytes === undefined) throw new Error(`checkpoint ${id} is gone`);
    return bytes.slice(offset, offset + bytesMax);
  }

  async receiveCheckpoint(file: CheckpointFile): Promise<CheckpointReceiver> {
    const chunks: Uint8Array[] = [];
    return {
      offset: 0,
      write: async (chunk) => void chunks.push(chunk),
      finish: async () => {
        const bytes = Buffer.concat(chunks);
        if (bytes.length !== file.sizeBytes || checksumOf(bytes) !== file.checksum) {
          throw new Error(`checkpoint ${file.id} arrived damaged`);
        }
        this.#files.set(file.id, bytes);
      },
      abort: async () => {},
    };
  }

  async restore(file: CheckpointFile): Promise<void> {
    this.#storage = this.#load(file);
    this.#store.replaceStorage(this.#storage);
    assert(this.appliedIndex === file.index, 'a checkpoint holds the entry that it is named after');
    this.#latest = file;
  }

  #keep(file: CheckpointFile, bytes: Uint8Array): void {
    // One that was begun before a newer one was installed is of no use.
    if (this.#latest !== undefined && this.#latest.index > file.index) return;
    if (this.#latest !== undefined) this.#files.delete(this.#latest.id);
    this.#files.set(file.id, bytes);
    this.#latest = file;
  }

  #load({ id }: CheckpointFile): MemoryStorage {
    const bytes = this.#files.get(id);
    assert(bytes !== undefined, 'a durable checkpoint is on the disk');
    const storage = new MemoryStorage();
    storage.transact(() => {
      for (const [key, value] of codec.unpack(bytes) as Rows) storage.put(key, value);
    });
    return storage;
  }
}

function dump(storage: Storage): Uint8Array {
  const rows: Rows = Array.from(storage.range(''), ({ key, value }) => [key, value] as const);
  return codec.pack(rows);
}

function checksumOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
