/**
 * The replicated state of one server: applies what Raft committed, answers queries, wakes those who wait.
 *
 *     apply(batch)     one transaction of the storage: every command's rows and the applied index; then watches fire
 *     read(query)      the state as it is now, in one piece: writes happen on this very thread, between reads
 *     blocking(query)  read; while nothing new, wait for exactly what the read touched; read again
 *
 * A refused command writes nothing and its Refusal is its result. What this release does not know, or any other failure,
 * is thrown: the server must stop rather than diverge.
 */
import { assert } from '../std/assert.ts';
import type { Clock } from '../std/clock.ts';
import { HeddleError } from '../std/errors.ts';
import { err, ok, type Result } from '../std/result.ts';
import type { Origin } from '../structs/index.ts';
import { commands } from './commands/index.ts';
import type { Change, Command, Query, ReadTx } from './contract.ts';
import { decodeEnvelope } from './envelope.ts';
import { Refusal } from './errors.ts';
import { Memo } from './tables/memo.ts';
import { ReadView } from './tables/read-view.ts';
import { sweep } from './tables/staging.ts';
import { StateRows } from './tables/state-rows.ts';
import type { Storage } from './tables/storage.ts';
import { WriteView } from './tables/write-view.ts';
import { type BlockingOptions, type BlockingResult, blockingQuery } from './watches/blocking-query.ts';
import { WakeQueue } from './watches/wake-queue.ts';
import { type Waiter, WatchSet } from './watches/watch-set.ts';

/** A committed entry as Raft hands it over. */
export interface StoreEntry {
  readonly index: number;
  readonly data: Uint8Array;
}

export type ApplyResult = Result<unknown, Refusal>;

/** What one command changed, told to listeners after its batch is committed. */
export interface AppliedCommand {
  /** Visible index: the modify index of what it wrote. */
  readonly index: number;
  readonly name: string;
  readonly origin: Origin;
  readonly changes: readonly Change[];
}

export interface StoreListener {
  applied?(command: AppliedCommand): void;
  /** The whole state is another one: a checkpoint was installed or a snapshot restored. */
  replaced?(): void;
}

/** The half of a command that the store uses; the arguments are what the log holds. */
export type Applicable = Pick<Command<never, unknown>, 'name' | 'version' | 'apply'>;

export interface StoreOptions {
  readonly clock: Clock;
  /** Asks for a turn of the event loop, after pending I/O. */
  readonly defer?: (work: () => void) => void;
  /** Commands by name; a test may add its own. */
  readonly commands?: Readonly<Record<string, Applicable>>;
}

const sweepRowsMax = 500;

export class Store {
  readonly #clock: Clock;
  readonly #defer: (work: () => void) => void;
  readonly #commands: Readonly<Record<string, Applicable>>;
  readonly #memo = new Memo();
  readonly #watches = new WatchSet();
  readonly #wakes: WakeQueue;
  readonly #listeners = new Set<StoreListener>();
  #storage: Storage;
  #rows: StateRows;
  #view: ReadView;
  #sweeping = false;
  #closed = false;

  constructor(storage: Storage, options: StoreOptions) {
    this.#storage = storage;
    this.#clock = options.clock;
    this.#defer = options.defer ?? ((work) => void setImmediate(work));
    this.#commands = options.commands ?? commands;
    this.#wakes = new WakeQueue({ now: () => options.clock.monotonicMs(), defer: this.#defer });
    this.#rows = new StateRows(storage);
    this.#view = new ReadView(this.#rows, this.#memo);
    this.#sweepLater();
  }

  /** The last Raft entry in the state; 0 before the first. */
  get raftIndex(): number {
    return this.#rows.meta.raftIndex;
  }

  /** How far visible indexes are ahead of Raft's. */
  get indexOffset(): number {
    return this.#rows.meta.indexOffset;
  }

  /** The state as it is now, taking note of nothing. Do not keep it across an await. */
  get view(): ReadTx {
    return this.#view;
  }

  /** How many readers wait. */
  get waiting(): number {
    return this.#watches.size;
  }

  get storage(): Storage {
    return this.#storage;
  }

  /** Returns a cancel. */
  listen(listener: StoreListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Applies committed entries in one transaction, in order; one result each. A throw means: stop the server. */
  apply(entries: readonly StoreEntry[]): readonly ApplyResult[] {
    const results: ApplyResult[] = [];
    const applied: AppliedCommand[] = [];
    const generation = this.#rows.meta.generation;
    try {
      this.#storage.transact(() => {
        for (const entry of entries) results.push(this.#applyOne(entry, applied));
        const last = entries.at(-1);
        if (last !== undefined) this.#rows.setMeta({ ...this.#rows.meta, raftIndex: last.index });
      });
    } catch (error) {
      this.#rows.reload();
      throw error;
    }
    if (this.#rows.meta.generation !== generation) this.#announceReplaced();
    else this.#fire();
    for (const command of applied) for (const listener of this.#listeners) listener.applied?.(command);
    return results;
  }

  #applyOne({ index, data }: StoreEntry, applied: AppliedCommand[]): ApplyResult {
    assert(index > this.#rows.meta.raftIndex, `entry ${index} is applied already`);
    const { name, version, origin, args } = decodeEnvelope(data);
    const command = Object.hasOwn(this.#commands, name) ? this.#commands[name] : undefined;
    if (command === undefined || command.version < version) {
      throw new HeddleError(
        'COMMAND_UNKNOWN',
        `entry ${index} is command ${name} version ${version}, unknown to this release`,
        {
          index,
          name,
          version,
        },
      );
    }
    const visible = index + this.#rows.meta.indexOffset;
    const tx = new WriteView(this.#rows, visible, index);
    const mark = this.#rows.mark();
    let result: ApplyResult;
    try {
      result = ok(command.apply(tx, args as never, { origin }));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#rows.rollBack(mark);
      result = err(error);
    }
    const changes = this.#rows.settle();
    if (changes.length > 0) applied.push({ index: visible, name, origin, changes });
    return result;
  }

  /** Runs a query on the state as it is now. Throws the query's Refusal. */
  read<Args, Value>(query: Query<Args, Value>, args: Args): BlockingResult<Value> {
    const { index, value, notFound } = query.run(this.#view, args);
    return { index, value, notFound: notFound ?? false };
  }

  /** Runs a query, waiting as the options say for its index to grow. */
  blocking<Args, Value>(
    query: Query<Args, Value>,
    args: Args,
    options: BlockingOptions,
  ): Promise<BlockingResult<Value>> {
    const run = (notes: { keys: Set<string>; prefixes: Set<string> }) =>
      query.run(new ReadView(this.#rows, this.#memo, notes), args);
    return blockingQuery(run, options, { watches: this.#watches, clock: this.#clock });
  }

  /** Waits once for something in a footprint to be written. For readers that are no query. */
  watch(
    footprint: { readonly keys: ReadonlySet<string>; readonly prefixes: ReadonlySet<string> },
    waiter: Waiter,
  ): () => void {
    this.#watches.add(footprint, waiter);
    return () => this.#watches.remove(waiter);
  }

  /** Takes another storage's content for the state (a checkpoint that was received). The old storage is the caller's. */
  replaceStorage(storage: Storage): void {
    this.#storage = storage;
    this.#rows = new StateRows(storage);
    this.#view = new ReadView(this.#rows, this.#memo);
    this.#announceReplaced();
  }

  /** Wakes whoever waits, for good. The storage is the caller's to close. */
  close(): void {
    this.#closed = true;
    this.#wakes.push(this.#watches.fireAll(), 'replaced');
  }

  #fire(): void {
    for (const key of this.#rows.takeTouched()) this.#wakes.push(this.#watches.fire(key), 'changed');
  }

  #announceReplaced(): void {
    this.#memo.clear();
    this.#rows.takeTouched();
    this.#wakes.push(this.#watches.fireAll(), 'replaced');
    for (const listener of this.#listeners) listener.replaced?.();
    this.#sweepLater();
  }

  /** Removes what a replaced state left behind, a little in each turn of the event loop. */
  #sweepLater(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.#defer(() => {
      this.#sweeping = false;
      if (!this.#closed && sweep(this.#rows, this.#storage, sweepRowsMax)) this.#sweepLater();
    });
  }
}
