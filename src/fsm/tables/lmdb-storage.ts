/**
 * The tables' disk: one LMDB environment without fsync (design, decision 3). A killed process loses nothing, since the
 * pages are the kernel's; what a power loss may take is rebuilt from a checkpoint and the log.
 *
 * LMDB takes keys of up to 1,978 bytes; KV keys may be longer. A longer key is stored under its first 1,900 bytes and
 * the SHA-256 of all of it, with the whole key in front of the value. Long keys that share those 1,900 bytes are
 * neighbours in the tree, though in the order of their hashes: a range collects each such family and sorts it.
 */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { RootDatabase } from 'lmdb';
import { assert } from '../../std/assert.ts';
import type { RangeOptions, Storage, StorageEntry } from './storage.ts';

/** Loaded with the first environment that is opened: a client agent knows these types, and runs no database. */
const load = createRequire(import.meta.url);
const lmdb = (): typeof import('lmdb') => load('lmdb') as typeof import('lmdb');

const headBytes = 1_900;
const longKeyBytes = headBytes + 32;

/** The files are the owner's alone: rows hold the CA's key, tokens and values. (lmdb's types do not know the option.) */
const ownerOnly: object = { permissionsMode: 0o600 };

export class LmdbStorage implements Storage {
  readonly path: string;
  readonly #env: RootDatabase<Buffer, Buffer>;
  #writing = false;

  /** Opens or creates the environment in the file `path`; LMDB keeps a `<path>-lock` beside it. */
  constructor(path: string, options: { readonly readOnly?: boolean } = {}) {
    this.path = path;
    this.#env = lmdb().open<Buffer, Buffer>({
      path,
      noSubdir: true,
      ...ownerOnly,
      noSync: true,
      overlappingSync: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      compression: false,
      cache: false,
      maxDbs: 1,
      readOnly: options.readOnly ?? false,
    });
    if (options.readOnly !== true) this.#beginFreeList();
  }

  /**
   * A compacted copy has no list of free pages. LMDB (lmdb 3.5.6) begins one at the first commit, and if that one's list is longer than half
   * a page it looks into the record that it is just making: the process dies of an assertion, or of a bad address. So the first commit
   * is a small one.
   */
  #beginFreeList(): void {
    const stats = this.#env.getStats() as {
      readonly entryCount: number;
      readonly free: { readonly entryCount: number };
    };
    if (stats.entryCount === 0 || stats.free.entryCount > 0) return;
    const scratch = Buffer.from('\0');
    this.#env.transactionSync(() => {
      this.#env.putSync(scratch, scratch);
      this.#env.removeSync(scratch);
    });
  }

  get(key: string): Uint8Array | undefined {
    const bytes = Buffer.from(key, 'utf8');
    if (bytes.length <= headBytes) return this.#env.getBinary(bytes);
    const stored = this.#env.getBinary(foldLongKey(bytes));
    return stored === undefined ? undefined : unfold(stored).value;
  }

  put(key: string, value: Uint8Array): void {
    assert(this.#writing, 'a write outside of a transaction');
    const bytes = Buffer.from(key, 'utf8');
    const data = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    if (bytes.length <= headBytes) this.#env.putSync(bytes, data);
    else this.#env.putSync(foldLongKey(bytes), fold(bytes, data));
  }

  remove(key: string): void {
    assert(this.#writing, 'a write outside of a transaction');
    const bytes = Buffer.from(key, 'utf8');
    this.#env.removeSync(bytes.length <= headBytes ? bytes : foldLongKey(bytes));
  }

  transact<T>(work: () => T): T {
    assert(!this.#writing, 'transactions do not nest');
    this.#writing = true;
    try {
      return this.#env.transactionSync(work);
    } finally {
      this.#writing = false;
    }
  }

  *range(prefix: string, options: RangeOptions = {}): Iterable<StorageEntry> {
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    for (const entry of this.#sorted(prefix, options)) {
      if (left-- <= 0) return;
      yield entry;
    }
  }

  /** Starts a compacted copy of the committed state into the file `path`, in a thread of its own; not yet fsynced. */
  copyTo(path: string): Promise<void> {
    return this.#env.backup(path, true);
  }

  /** Puts every committed page on the disk. */
  sync(): void {
    const file = openSync(this.path, 'r+');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  async close(): Promise<void> {
    await this.#env.close();
  }

  *#sorted(prefix: string, options: RangeOptions): Iterable<StorageEntry> {
    const reverse = options.reverse ?? false;
    let family: StorageEntry[] = [];
    let familyHead: Buffer | undefined;
    const flush = (): StorageEntry[] => {
      const sorted = family.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
      if (reverse) sorted.reverse();
      family = [];
      familyHead = undefined;
      return sorted.filter((e) => e.key.startsWith(prefix) && !isPassed(e.key, options));
    };
    for (const { key, value } of this.#physical(prefix, options)) {
      if (key.length === longKeyBytes) {
        if (familyHead !== undefined && familyHead.compare(key, 0, headBytes) !== 0) yield* flush();
        familyHead = key.subarray(0, headBytes);
        family.push(unfold(value));
        continue;
      }
      // In reverse the family comes before its head, forwards behind it: either way it ends here.
      if (familyHead !== undefined) yield* flush();
      const text = key.toString('utf8');
      if (text.startsWith(prefix) && !isPassed(text, options)) yield { key: text, value };
    }
    yield* flush();
  }

  /** The entries as they lie in the tree: at least those wanted, and the families they are in. */
  #physical(prefix: string, options: RangeOptions): Iterable<{ key: Buffer; value: Buffer }> {
    const low = headOf(prefix);
    const high = Buffer.concat([low, Buffer.of(0xff)]);
    if (options.reverse) {
      const after = options.after === undefined ? high : Buffer.concat([headOf(options.after), Buffer.of(0xff)]);
      const start = after.compare(high) < 0 ? after : high;
      return this.#env.getRange({ start, end: low, inclusiveEnd: true, reverse: true });
    }
    const after = options.after === undefined ? low : headOf(options.after);
    return this.#env.getRange({ start: after.compare(low) > 0 ? after : low, end: high });
  }
}

function headOf(key: string): Buffer {
  return Buffer.from(key, 'utf8').subarray(0, headBytes);
}

function foldLongKey(bytes: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, headBytes), createHash('sha256').update(bytes).digest()]);
}

/** The value of a long key: the key's length (u32), the key, the value. */
function fold(key: Buffer, value: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(key.length);
  return Buffer.concat([length, key, value]);
}

function unfold(stored: Buffer): StorageEntry {
  const end = 4 + stored.readUInt32BE(0);
  return { key: stored.toString('utf8', 4, end), value: stored.subarray(end) };
}

function isPassed(key: string, options: RangeOptions): boolean {
  if (options.after === undefined) return false;
  const order = Buffer.compare(Buffer.from(key), Buffer.from(options.after));
  return options.reverse ? order >= 0 : order <= 0;
}
