/** The state as a command sees it: its own writes included, and every write counted in the table's index. */
import { err, ok, type Result } from '../../std/result.ts';
import type {
  Key,
  ReadTx,
  ServiceLookups,
  StagingArea,
  TableName,
  TableReader,
  Tables,
  TableWriter,
  WriteTx,
} from '../contract.ts';
import { Refusal } from '../errors.ts';
import { definitionOf } from './definitions.ts';
import { lookupsOf, TableView } from './read-view.ts';
import { Staging } from './staging.ts';
import type { StateRows } from './state-rows.ts';

export class WriteView implements WriteTx {
  readonly index: number;
  readonly #raftIndex: number;
  readonly #rows: StateRows;
  /** Those that the command asked for: one or two. */
  readonly #tables: WritableTable<unknown>[] = [];
  #staging: StagingArea | undefined;
  #services: ServiceLookups | undefined;

  /** `index` is the visible one of the entry `raftIndex`. */
  constructor(rows: StateRows, index: number, raftIndex: number) {
    this.#rows = rows;
    this.index = index;
    this.#raftIndex = raftIndex;
  }

  get staging(): StagingArea {
    this.#staging ??= new Staging(this.#rows, this.#raftIndex);
    return this.#staging;
  }

  get services(): ServiceLookups {
    this.#services ??= lookupsOf(this);
    return this.#services;
  }

  /** While an entry is applied, its own index counts as applied. */
  get appliedIndex(): number {
    return this.index;
  }

  get unwatched(): ReadTx {
    return this;
  }

  table<N extends TableName>(name: N): TableWriter<Tables[N]> {
    let table = this.#tables.find((known) => known.name === name);
    if (table === undefined) {
      table = new WritableTable(this.#rows, name, this.index);
      this.#tables.push(table);
    }
    return table as unknown as TableWriter<Tables[N]>;
  }

  counter(name: string): number {
    return this.#rows.counter(name);
  }

  setCounter(name: string, index: number): void {
    this.#rows.setCounter(name, index);
  }

  memo<T extends object>(_name: string, _version: number | string, compute: (tx: ReadTx) => T): T {
    return compute(this);
  }

  attempt<T>(work: () => T): Result<T, Refusal> {
    const mark = this.#rows.mark();
    try {
      return ok(work());
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#rows.rollBack(mark);
      return err(error);
    }
  }
}

class WritableTable<Row> extends TableView<Row> implements TableWriter<Row>, TableReader<Row> {
  readonly #index: number;

  constructor(rows: StateRows, name: TableName, index: number) {
    super(rows, name);
    this.#index = index;
  }

  put(key: Key, row: Row): void {
    this.rows.put(this.name, key, row);
    this.#count();
  }

  delete(key: Key): boolean {
    const present = this.rows.delete(this.name, key);
    if (present) this.#count();
    return present;
  }

  touch(): void {
    this.rows.setCounter(this.name, this.#index);
  }

  /** Collected first, so that a command may write while it walks. */
  override range(prefix: Key): Iterable<Row> {
    return [...super.range(prefix)];
  }

  #count(): void {
    if (definitionOf(this.name).counted) this.touch();
  }
}
