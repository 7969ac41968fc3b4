/**
 * The store over LMDB.
 *
 * `overlappingSync: false`: with the default a write is visible before it is durable, and stays visible after its fsync failed.
 * A commit resolves after its fsync. One `batch` is one transaction up to `batchStartThreshold` operations; a larger one may be
 * split, which leaves a prefix, as `LogStore` allows. (Asynchronous `transaction()` is not used: it can hang after plain writes.)
 */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Database, RootDatabase } from 'lmdb';
import type { LogStore, StoreKey, StoreOperation } from './store.ts';

/** The files are the owner's alone: entries hold keys and tokens. (lmdb's types do not know the option.) */
const ownerOnly: object = { permissionsMode: 0o600 };

/** Opens or creates the store in the directory `path`. */
export function openLmdbStore(path: string): LogStore {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  // The same copy of the module as the state's tables have: it is loaded with the first database only.
  const { open } = createRequire(import.meta.url)('lmdb') as typeof import('lmdb');
  const root: RootDatabase<Uint8Array, string> = open({
    path,
    noSubdir: false,
    ...ownerOnly,
    overlappingSync: false,
    encoding: 'binary',
    maxDbs: 2,
  });
  const entries = root.openDB<Uint8Array, number>({ name: 'entries', encoding: 'binary' });
  const named = root.openDB<Uint8Array, string>({ name: 'named', encoding: 'binary' });
  return new LmdbStore(root, entries, named);
}

class LmdbStore implements LogStore {
  readonly #root: RootDatabase<Uint8Array, string>;
  readonly #entries: Database<Uint8Array, number>;
  readonly #named: Database<Uint8Array, string>;
  #failed = false;

  constructor(
    root: RootDatabase<Uint8Array, string>,
    entries: Database<Uint8Array, number>,
    named: Database<Uint8Array, string>,
  ) {
    this.#root = root;
    this.#entries = entries;
    this.#named = named;
  }

  get(key: StoreKey): Uint8Array | undefined {
    return typeof key === 'number' ? this.#entries.getBinary(key) : this.#named.getBinary(key);
  }

  bounds(): { first: number; last: number } | undefined {
    const [first] = this.#entries.getKeys({ limit: 1 });
    const [last] = this.#entries.getKeys({ limit: 1, reverse: true });
    return first === undefined || last === undefined ? undefined : { first, last };
  }

  *range(first: number, last: number): Iterable<readonly [number, Uint8Array]> {
    for (const { key, value } of this.#entries.getRange({ start: first, end: last + 1 })) yield [key, value];
  }

  async commit(operations: readonly StoreOperation[]): Promise<void> {
    const promise = this.#root.batch(() => {
      for (const operation of operations) this.#carryOut(operation);
    });
    try {
      await promise;
    } catch (error) {
      this.#failed = true;
      // The commit has a promise of its own besides the batch's; unhandled, it would end the process before the reason is told.
      this.#root.committed.then(reportedElsewhere, reportedElsewhere);
      throw await causeOf(error);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#root.close();
    } catch (error) {
      // After a failed commit closing fails with that commit, once more.
      if (!this.#failed) throw error;
    }
  }

  #carryOut(operation: StoreOperation): void {
    const { key } = operation;
    if (typeof key === 'number') {
      if (operation.kind === 'put') this.#entries.put(key, operation.value);
      else this.#entries.remove(key);
    } else if (operation.kind === 'put') this.#named.put(key, operation.value);
    else this.#named.remove(key);
  }
}

const reportedElsewhere = (): void => undefined;

/** A failed commit says "see commitError", a promise that rejects with the cause (unhandled, if nobody asks). */
async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<unknown> };
  if (commitError === undefined) return error;
  try {
    await commitError;
    return error;
  } catch (cause) {
    return cause;
  }
}
