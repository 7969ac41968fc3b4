/**
 * How each table is laid out: its letter in the keys, which parts of its keys ignore letter case, and the secondary orders
 * it keeps. The letters are for ever: they are in every stored key.
 *
 *     i  counters      n  nodes       s  services     c  checks
 *     k  kv            t  tombstones  e  sessions     g  configEntries
 *     r  caRoots       l  intentionLookups  v  coordinates       1  singletons
 *     N S P C U E K    secondary orders of the tables beside them
 */
import type { IndexName, Key, TableName, Tables } from '../contract.ts';
import { connectDestination } from '../service-index.ts';
import { keyOf, openKeyOf, type RowKey } from './row-key.ts';

export interface TableDefinition<Row> {
  readonly letter: string;
  /** `fold`: every text part is looked up ignoring case. `exact`: bytewise. */
  readonly keys: 'fold' | 'exact';
  /** The only part is open at its end, so that rows are found by any prefix of it. */
  readonly open?: boolean;
  /** False for tables whose changes move another table's index. */
  readonly counted: boolean;
  /** Whether decoded rows are worth keeping: read often, small. */
  readonly cached: boolean;
  /** Rows are written again and again, and are the same object in memory as after a way through their bytes. */
  readonly rewritten?: boolean;
  readonly secondary: readonly SecondaryOrder<Row>[];
}

export interface SecondaryOrder<Row> {
  readonly name: IndexName;
  readonly letter: string;
  /** Every text part is looked up ignoring case. */
  readonly fold: boolean;
  /** Where the row stands in this order; undefined if it does not take part. */
  keyOf(row: Row): Key | undefined;
}

type Definitions = { readonly [N in TableName]: TableDefinition<Tables[N]> };

export const counterLetter = 'i';

const plain = { keys: 'exact', counted: true, cached: false, secondary: [] } as const;

const definitions: Definitions = {
  nodes: {
    letter: 'n',
    keys: 'fold',
    counted: true,
    cached: true,
    secondary: [
      { name: 'id', letter: 'N', fold: true, keyOf: (row) => (row.ID === '' ? undefined : [row.ID, row.Node]) },
    ],
  },
  services: {
    letter: 's',
    keys: 'fold',
    counted: true,
    cached: true,
    secondary: [
      { name: 'service', letter: 'S', fold: true, keyOf: (row) => [row.Service, row.Node, row.ID] },
      {
        name: 'connect',
        letter: 'P',
        fold: true,
        keyOf(row) {
          const destination = connectDestination(row);
          return destination === '' ? undefined : [destination, row.Node, row.ID];
        },
      },
    ],
  },
  checks: {
    letter: 'c',
    keys: 'fold',
    counted: true,
    cached: true,
    secondary: [
      {
        name: 'service',
        letter: 'C',
        fold: true,
        keyOf: (row) => (row.ServiceID === '' ? undefined : [row.ServiceName, row.Node, row.CheckID]),
      },
      { name: 'status', letter: 'U', fold: true, keyOf: (row) => [row.Status, row.Node, row.CheckID] },
    ],
  },
  kv: {
    ...plain,
    letter: 'k',
    open: true,
    rewritten: true,
    secondary: [
      {
        name: 'session',
        letter: 'K',
        fold: false,
        keyOf: (row) => (row.Session === '' ? undefined : [row.Session, row.Key]),
      },
    ],
  },
  tombstones: { ...plain, letter: 't', open: true, counted: false },
  sessions: {
    ...plain,
    letter: 'e',
    secondary: [{ name: 'node', letter: 'E', fold: true, keyOf: (row) => [row.Node, row.ID] }],
  },
  configEntries: { ...plain, letter: 'g', keys: 'fold', cached: true },
  intentionLookups: { ...plain, letter: 'l', counted: false },
  caRoots: { ...plain, letter: 'r' },
  coordinates: { ...plain, letter: 'v', keys: 'fold' },
  singletons: { ...plain, letter: '1' },
};

export const tableNames = Object.keys(definitions) as readonly TableName[];

/** The definition with its row type forgotten: for code that treats all tables alike. */
export function definitionOf(name: TableName): TableDefinition<unknown> {
  return definitions[name] as TableDefinition<unknown>;
}

/** The stored key of a row, or of all rows below a shorter key. */
export function rowKeyOf(table: TableDefinition<unknown>, key: Key): RowKey {
  if (table.open && key.length > 0) return openKeyOf(table.letter, String(key[0]));
  return keyOf(table.letter, ...parts(key, table.keys === 'fold'));
}

export function secondaryKeyOf(order: SecondaryOrder<unknown>, key: Key): RowKey {
  return keyOf(order.letter, ...parts(key, order.fold));
}

/** Numbers stand as 14 hexadecimal digits, so that their text order is their order. */
function parts(key: Key, fold: boolean): readonly string[] {
  return key.map((part) => {
    if (typeof part === 'number') return part.toString(16).padStart(14, '0');
    return fold ? part.toLowerCase() : part;
  });
}

export function counterKeyOf(name: string): RowKey {
  return keyOf(counterLetter, name);
}
