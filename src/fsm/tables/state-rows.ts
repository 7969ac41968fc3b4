/**
 * The rows of the state over a Storage: encoding, the cache of decoded rows, secondary orders, counters, and the journal
 * that takes a refused command back.
 *
 * Everything lies under one *generation*, a letter in front of every key. A restore collects the coming state under the
 * next letter, out of sight, and takes over by writing one row (staging.ts); what the old letter held is swept later.
 *
 * A row that is handed out is shared: whoever changed one would change it for all.
 */
import { assert } from '../../std/assert.ts';
import { HeddleError } from '../../std/errors.ts';
import type { Key, TableName } from '../contract.ts';
import { counterKeyOf, definitionOf, rowKeyOf, type SecondaryOrder, secondaryKeyOf } from './definitions.ts';
import { decodeRow, encodeRow } from './row-codec.ts';
import type { RowKey } from './row-key.ts';
import type { Storage } from './storage.ts';
import { WrittenRows } from './written-rows.ts';

/** The row about the state itself. Written with every batch. */
export interface StateMeta {
  /** Of keys and secondary orders; a release that finds a later one must not touch the state. */
  readonly layout: number;
  /** The last Raft entry in the state. */
  readonly raftIndex: number;
  /** Visible index = Raft index + this: a restored state may have higher indexes than the log it comes into. */
  readonly indexOffset: number;
  /** The letter that the state's keys begin with. */
  readonly generation: string;
  readonly staging: { readonly id: string; readonly generation: string; readonly count: number } | null;
}

const layout = 1;
const firstMeta: StateMeta = { layout, raftIndex: 0, indexOffset: 0, generation: 'A', staging: null };
/** Sorts before every generation. */
const metaKey = '!meta';
const cachedRowsMax = 20_000;
const groupedRowsMax = 50_000;

export interface RowChange {
  readonly table: TableName;
  readonly key: Key;
  readonly before: unknown;
  readonly after: unknown;
}

/** `before` is undefined where there was nothing, null for a secondary place whose row changed while it stayed there. */
type JournalEntry =
  | { readonly key: RowKey; readonly before: Uint8Array | undefined | null }
  | { readonly counter: string; readonly before: number };

export class StateRows {
  readonly storage: Storage;
  #meta: StateMeta;
  readonly #rows = new Map<RowKey, unknown>();
  /** Rows of cached tables that share the first part of a key (a node's checks, a service's instances), by that prefix. */
  readonly #groups = new Map<string, readonly unknown[]>();
  #groupedRows = 0;
  readonly #counters = new Map<string, number>();
  /** Counters that moved in this transaction: written once at its end, however many commands moved them. */
  readonly #movedCounters = new Set<string>();
  /** The row read last, since a command that changes a row has just read it. */
  #lastRead: { readonly key: RowKey; readonly bytes: Uint8Array | undefined; readonly row: unknown } | undefined;
  readonly #written = new WrittenRows();
  /** Values before the writes of the running command, newest last. */
  #journal: JournalEntry[] = [];
  /** Keys whose readers must wake when the batch is committed. */
  #touched = new Set<string>();
  #changes: RowChange[] = [];

  constructor(storage: Storage) {
    this.storage = storage;
    this.#meta = this.#readMeta();
  }

  get meta(): StateMeta {
    return this.#meta;
  }

  /** Only inside a transaction of the storage. */
  setMeta(meta: StateMeta): void {
    if (meta.generation !== this.#meta.generation) this.#forget();
    this.#meta = meta;
    this.#writeCounters();
    this.storage.put(metaKey, encodeRow(meta));
  }

  /** Goes back to what the storage holds: after a transaction that failed, or when the storage was replaced. */
  reload(): void {
    this.#forget();
    this.#journal = [];
    this.#touched.clear();
    this.#changes = [];
    this.#meta = this.#readMeta();
  }

  get<Row>(table: TableName, key: Key): Row | undefined {
    const definition = definitionOf(table);
    return this.#read<Row>(rowKeyOf(definition, key), definition.cached);
  }

  range<Row>(table: TableName, prefix: RowKey): Iterable<Row> {
    const { cached } = definitionOf(table);
    return cached && isGroup(prefix)
      ? this.#group<Row>(prefix, () => this.#walk(prefix, true))
      : this.#walk(prefix, cached);
  }

  by<Row>(table: TableName, prefix: RowKey): Iterable<Row> {
    const { cached } = definitionOf(table);
    return cached && isGroup(prefix)
      ? this.#group<Row>(prefix, () => this.#walkOrder(prefix, true))
      : this.#walkOrder(prefix, cached);
  }

  *#walk<Row>(prefix: RowKey, cached: boolean): Iterable<Row> {
    const { generation } = this.#meta;
    for (const { key, value } of this.storage.range(generation + prefix)) {
      yield this.#decode<Row>(key.slice(generation.length) as RowKey, value, cached);
    }
  }

  *#walkOrder<Row>(prefix: RowKey, cached: boolean): Iterable<Row> {
    // Collected first: the rows may be changed by whoever walks them.
    const primary = [...this.storage.range(this.#meta.generation + prefix)];
    for (const { value } of primary) {
      const row = this.#read<Row>(Buffer.from(value).toString('utf8') as RowKey, cached);
      if (row !== undefined) yield row;
    }
  }

  #group<Row>(prefix: RowKey, walk: () => Iterable<Row>): readonly Row[] {
    const known = this.#groups.get(prefix);
    if (known !== undefined) return known as readonly Row[];
    const rows = [...walk()];
    if (this.#groupedRows + rows.length > groupedRowsMax) this.#forgetGroups();
    this.#groups.set(prefix, rows);
    this.#groupedRows += rows.length;
    return rows;
  }

  counter(name: string): number {
    const known = this.#counters.get(name);
    if (known !== undefined) return known;
    const value = this.#read<{ readonly index: number }>(counterKeyOf(name), false)?.index ?? 0;
    this.#counters.set(name, value);
    return value;
  }

  /** 0 removes the counter. */
  setCounter(name: string, index: number): void {
    const before = this.counter(name);
    if (before === index) return;
    this.#journal.push({ counter: name, before });
    this.#counters.set(name, index);
    this.#movedCounters.add(name);
  }

  #writeCounters(): void {
    for (const name of this.#movedCounters) {
      const index = this.counter(name);
      const key = counterKeyOf(name);
      this.#touched.add(key);
      if (index === 0) this.storage.remove(this.#meta.generation + key);
      else this.storage.put(this.#meta.generation + key, encodeRow({ index }));
    }
    this.#movedCounters.clear();
  }

  put(table: TableName, key: Key, row: unknown): void {
    assert(typeof row === 'object' && row !== null, 'a row is an object');
    const definition = definitionOf(table);
    const rowKey = rowKeyOf(definition, key);
    const before = this.#read(rowKey, definition.cached);
    for (const order of definition.secondary) this.#moveSecondary(order, rowKey, before, row);
    const bytes = encodeRow(row);
    this.#putBytes(rowKey, bytes);
    if (definition.rewritten) this.#written.add(rowKey, bytes, row);
    this.#changes.push({ table, key, before, after: row });
  }

  /** Whether there was a row. */
  delete(table: TableName, key: Key): boolean {
    const definition = definitionOf(table);
    const rowKey = rowKeyOf(definition, key);
    const before = this.#read(rowKey, definition.cached);
    if (before === undefined) return false;
    for (const order of definition.secondary) this.#moveSecondary(order, rowKey, before, undefined);
    this.#removeBytes(rowKey);
    this.#changes.push({ table, key, before, after: undefined });
    return true;
  }

  /** A point in the journal to come back to. */
  mark(): { readonly journal: number; readonly changes: number } {
    return { journal: this.#journal.length, changes: this.#changes.length };
  }

  /** Takes back every write since the mark. */
  rollBack(mark: { readonly journal: number; readonly changes: number }): void {
    for (const entry of this.#journal.splice(mark.journal).reverse()) {
      if ('counter' in entry) {
        this.#counters.set(entry.counter, entry.before);
        continue;
      }
      const { key, before } = entry;
      if (before === undefined) this.storage.remove(this.#meta.generation + key);
      else if (before !== null) this.storage.put(this.#meta.generation + key, before);
      this.#touch(key);
    }
    this.#changes.length = mark.changes;
  }

  /** Ends a command that was not refused: its writes can no more be taken back. Returns its changes. */
  settle(): readonly RowChange[] {
    const changes = this.#changes;
    this.#journal = [];
    this.#changes = [];
    return changes;
  }

  /** The keys written since the last call; a key whose write was taken back may be among them. */
  takeTouched(): ReadonlySet<string> {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }

  #moveSecondary(order: SecondaryOrder<unknown>, rowKey: RowKey, before: unknown, after: unknown): void {
    const from = before === undefined ? undefined : order.keyOf(before);
    const to = after === undefined ? undefined : order.keyOf(after);
    const fromKey = from === undefined ? undefined : secondaryKeyOf(order, from);
    const toKey = to === undefined ? undefined : secondaryKeyOf(order, to);
    if (fromKey !== undefined && fromKey !== toKey) this.#removeBytes(fromKey);
    if (toKey === undefined) return;
    // A row that stays in its place has changed for those who read it there.
    if (fromKey === toKey) {
      this.#journal.push({ key: toKey, before: null });
      this.#touch(toKey);
    } else this.#putBytes(toKey, Buffer.from(rowKey, 'utf8'));
  }

  #putBytes(key: RowKey, value: Uint8Array): void {
    this.#remember(key);
    this.storage.put(this.#meta.generation + key, value);
  }

  #removeBytes(key: RowKey): void {
    this.#remember(key);
    this.storage.remove(this.#meta.generation + key);
  }

  #remember(key: RowKey): void {
    const last = this.#lastRead?.key === key ? this.#lastRead : this.#written.get(key);
    const before = last === undefined ? this.storage.get(this.#meta.generation + key) : last.bytes;
    this.#journal.push({ key, before });
    this.#touch(key);
  }

  /** Its readers must wake, and what is kept of it is no more true. */
  #touch(key: RowKey): void {
    this.#touched.add(key);
    this.#rows.delete(key);
    this.#written.delete(key);
    if (this.#lastRead?.key === key) this.#lastRead = undefined;
    const group = groupOf(key);
    const rows = this.#groups.get(group);
    if (rows === undefined) return;
    this.#groups.delete(group);
    this.#groupedRows -= rows.length;
  }

  #read<Row>(key: RowKey, cached: boolean): Row | undefined {
    const known = cached ? this.#rows.get(key) : undefined;
    if (known !== undefined) return known as Row;
    if (this.#lastRead?.key === key) return this.#lastRead.row as Row | undefined;
    const written = this.#written.get(key);
    if (written !== undefined) return written.row as Row;
    const bytes = this.storage.get(this.#meta.generation + key);
    const row = bytes === undefined ? undefined : this.#keep(key, decodeRow<Row>(bytes), cached);
    this.#lastRead = { key, bytes, row };
    return row;
  }

  #decode<Row>(key: RowKey, bytes: Uint8Array, cached: boolean): Row {
    const known = cached ? this.#rows.get(key) : undefined;
    return known === undefined ? this.#keep(key, decodeRow<Row>(bytes), cached) : (known as Row);
  }

  #keep<Row>(key: RowKey, row: Row, cached: boolean): Row {
    if (!cached) return row;
    if (this.#rows.size >= cachedRowsMax) this.#rows.clear();
    this.#rows.set(key, row);
    return row;
  }

  #forget(): void {
    this.#rows.clear();
    this.#written.clear();
    this.#lastRead = undefined;
    this.#counters.clear();
    this.#movedCounters.clear();
    this.#forgetGroups();
  }

  #forgetGroups(): void {
    this.#groups.clear();
    this.#groupedRows = 0;
  }

  #readMeta(): StateMeta {
    const bytes = this.storage.get(metaKey);
    if (bytes === undefined) return firstMeta;
    const meta = decodeRow<StateMeta>(bytes);
    if (meta.layout > layout) {
      throw new HeddleError(
        'STATE_LAYOUT_UNKNOWN',
        `the state has layout ${meta.layout}; this release knows ${layout}`,
      );
    }
    return meta;
  }
}

/** The beginning of a key up to the end of its first part: `<table> <namespace> NUL <part> NUL`. */
function groupOf(key: string): string {
  return key.slice(0, key.indexOf('\x00', key.indexOf('\x00') + 1) + 1);
}

function isGroup(prefix: string): boolean {
  return groupOf(prefix) === prefix && prefix.length > 2;
}
