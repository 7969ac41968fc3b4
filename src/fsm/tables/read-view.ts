/**
 * The state as a query sees it. Whatever is read is noted in a footprint, which is then what a blocking query waits for;
 * the view without a footprint (`unwatched`) notes nothing.
 */
import type {
  IndexName,
  Key,
  ReadTx,
  ServiceLookups,
  ServiceRow,
  TableName,
  TableReader,
  Tables,
} from '../contract.ts';
import { counterKeyOf, definitionOf, rowKeyOf, secondaryKeyOf } from './definitions.ts';
import type { Memo } from './memo.ts';
import { openKeyOf, tablePrefix } from './row-key.ts';
import type { StateRows } from './state-rows.ts';

/** What a read touched: see watches/. */
export interface FootprintNotes {
  readonly keys: Set<string>;
  readonly prefixes: Set<string>;
}

export class ReadView implements ReadTx {
  readonly unwatched: ReadTx;
  readonly services: ServiceLookups;
  readonly #rows: StateRows;
  readonly #memo: Memo;
  readonly #notes: FootprintNotes | undefined;
  readonly #tables = new Map<TableName, TableReader<unknown>>();

  constructor(rows: StateRows, memo: Memo, notes?: FootprintNotes) {
    this.#rows = rows;
    this.#memo = memo;
    this.#notes = notes;
    this.unwatched = notes === undefined ? this : new ReadView(rows, memo);
    this.services = lookupsOf(this);
  }

  get appliedIndex(): number {
    const { raftIndex, indexOffset } = this.#rows.meta;
    return raftIndex === 0 ? 0 : raftIndex + indexOffset;
  }

  table<N extends TableName>(name: N): TableReader<Tables[N]> {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = new TableView(this.#rows, name, this.#notes);
      this.#tables.set(name, table);
    }
    return table as TableReader<Tables[N]>;
  }

  counter(name: string): number {
    this.#notes?.keys.add(counterKeyOf(name));
    return this.#rows.counter(name);
  }

  memo<T extends object>(name: string, version: number | string, compute: (tx: ReadTx) => T): T {
    return this.#memo.get(name, version, () => compute(this.unwatched));
  }
}

/** Rows of one table, in the order asked for. */
export class TableView<Row> implements TableReader<Row> {
  readonly name: TableName;
  protected readonly rows: StateRows;
  readonly #notes: FootprintNotes | undefined;

  constructor(rows: StateRows, name: TableName, notes?: FootprintNotes) {
    this.rows = rows;
    this.name = name;
    this.#notes = notes;
  }

  get(key: Key): Row | undefined {
    this.#notes?.keys.add(rowKeyOf(definitionOf(this.name), key));
    return this.rows.get<Row>(this.name, key);
  }

  range(prefix: Key): Iterable<Row> {
    const { letter } = definitionOf(this.name);
    const from = prefix.length === 0 ? tablePrefix(letter) : rowKeyOf(definitionOf(this.name), prefix);
    this.#notes?.prefixes.add(from);
    return this.rows.range<Row>(this.name, from);
  }

  by(index: IndexName, prefix: Key): Iterable<Row> {
    const order = definitionOf(this.name).secondary.find((candidate) => candidate.name === index);
    if (order === undefined) throw new TypeError(`table ${this.name} keeps no order by ${index}`);
    const from = secondaryKeyOf(order, prefix);
    this.#notes?.prefixes.add(from);
    return this.rows.by<Row>(this.name, from);
  }

  startingWith(text: string): Iterable<Row> {
    const definition = definitionOf(this.name);
    if (definition.open !== true) throw new TypeError(`keys of table ${this.name} are not searched by prefix`);
    const from = openKeyOf(definition.letter, text);
    this.#notes?.prefixes.add(from);
    return this.rows.range<Row>(this.name, from);
  }

  index(): number {
    this.#notes?.keys.add(counterKeyOf(this.name));
    return this.rows.counter(this.name);
  }
}

export function lookupsOf(tx: ReadTx): ServiceLookups {
  return {
    byName: (name) => tx.table('services').by('service', [name]),
    connectFor: (name) => tx.table('services').by('connect', [name]),
    *names() {
      const tags = new Map<string, Set<string>>();
      for (const row of tx.table('services').by('service', []) as Iterable<ServiceRow>) {
        const of = tags.get(row.Service) ?? new Set();
        for (const tag of row.Tags ?? []) of.add(tag);
        tags.set(row.Service, of);
      }
      for (const [name, of] of tags) yield { name, tags: [...of] };
    },
  };
}
