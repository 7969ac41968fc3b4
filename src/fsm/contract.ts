/**
 * What commands and queries are written against: transactions over named tables, and the shapes of a command and a query.
 *
 * Tables live in LMDB (store.ts). A key is a tuple; tables that look names up ignoring case fold the key themselves, and
 * the row keeps the spelling. Every read through a ReadTx records what it touched (a key, a range, a table's index), so a
 * blocking query wakes for exactly that and no query declares its watches.
 */
import type { Result as Outcome } from '../std/result.ts';
import type {
  CaRoot,
  ConfigEntry,
  HealthCheck,
  KvEntry,
  Node,
  NodeCoordinate,
  NodeService,
  Origin,
  Session,
} from '../structs/index.ts';
import type { Refusal } from './errors.ts';

/** Row types by table. Rooms that own a table add it here. */
export interface Tables {
  /** Key [name]. */
  nodes: Node;
  /** Key [node, service id]. */
  services: ServiceRow;
  /** Key [node, check id]. */
  checks: HealthCheck;
  /** Key [key]: bytewise, case-sensitive. */
  kv: KvEntry;
  /** Key [key or prefix]. Has no index of its own: whatever leaves a tombstone moves the kv table's. */
  tombstones: { readonly Key: string; readonly ModifyIndex: number };
  /** Key [id]. */
  sessions: Session;
  /** Key [kind, name]. */
  configEntries: ConfigEntry;
  /**
   * Where an intention is when its destination is not known. Keys: ['id', legacy id], ['source', source, destination],
   * ['permissions', destination] of destinations with layer-7 permissions; ids and destinations in lower case.
   */
  intentionLookups: { readonly Destination: string };
  /** Key [node, segment]. */
  coordinates: NodeCoordinate;
  /** Key [id of the root]. */
  caRoots: CaRoot;
  /** One row of each: the CA configuration, the provider's state, the serial counter, autopilot, system metadata. Key [name]. */
  singletons: unknown;
}

export type TableName = keyof Tables;
export type Key = readonly (string | number)[];

export interface ServiceRow extends NodeService {
  readonly Node: string;
}

/** Further orders that a table keeps its rows in (tables/definitions.ts says of which parts). */
export type IndexName =
  /** nodes: [node id], of nodes that have one. */
  | 'id'
  /** services: [service name, node, id]. checks: [service name, node, check id], of service checks. */
  | 'service'
  /** services: [destination, node, id] of whatever serves mutual TLS for the destination. */
  | 'connect'
  /** checks: [status, node, check id]. */
  | 'status'
  /** sessions: [node, id]. */
  | 'node'
  /** kv: [session, key], of locked keys. */
  | 'session';

/** Rows are shared between readers: never change one, copy it. */
export interface TableReader<Row> {
  get(key: Key): Row | undefined;
  /** Rows whose key begins with `prefix`, in key order. A string part that ends the prefix matches whole parts only. */
  range(prefix: Key): Iterable<Row>;
  /** As `range`, in the order of a secondary index of the table. */
  by(index: IndexName, prefix: Key): Iterable<Row>;
  /** Rows whose last key part begins with `text`, bytewise (kv). */
  startingWith(text: string): Iterable<Row>;
  /** Highest modify index of the table, deletions included; 0 when nothing was ever written. */
  index(): number;
}

export interface TableWriter<Row> extends TableReader<Row> {
  /** Writes the row and moves the table's index. The caller sets the row's own ModifyIndex. */
  put(key: Key, row: Row): void;
  /** Whether there was a row. */
  delete(key: Key): boolean;
  /** Moves the table's index without a row: a reader must look again although nothing of this table changed. */
  touch(): void;
}

/** A consistent view of the state at one applied index. Synchronous; never kept across an await. */
export interface ReadTx {
  readonly appliedIndex: number;
  table<N extends TableName>(name: N): TableReader<Tables[N]>;
  /** A named index counter (`service.web`, `service_last_extinction`); 0 when never set. */
  counter(name: string): number;
  /** Secondary look-ups that the tables keep: see tables/. */
  readonly services: ServiceLookups;
  /**
   * The same view without taking note of what is read. For rows that cannot change without moving a counter that the
   * query has read anyway, and for indexes that are reported but not waited for (an absent key's).
   */
  readonly unwatched: ReadTx;
  /**
   * A derived value, kept until `version` is another: its identity is stable meanwhile, so that a door may keep the
   * encoded form beside it. `compute` reads through the view it is given; name the version so that whatever the value
   * depends on moves it. While applying, nothing is kept.
   */
  memo<T extends object>(name: string, version: number | string, compute: (tx: ReadTx) => T): T;
}

export interface ServiceLookups {
  /** Instances of a service, name compared ignoring case, ordered by node, then id. */
  byName(name: string): Iterable<ServiceRow>;
  /** Instances that can serve mutual TLS for `name`: proxies with that destination, native instances, gateways. */
  connectFor(name: string): Iterable<ServiceRow>;
  /** Names in use, with the union of their tags. */
  names(): Iterable<{ readonly name: string; readonly tags: readonly string[] }>;
}

export interface WriteTx extends ReadTx {
  /** Raft index of the entry being applied: the create and modify index of what it writes. */
  readonly index: number;
  table<N extends TableName>(name: N): TableWriter<Tables[N]>;
  /** Sets a named counter; 0 removes it. */
  setCounter(name: string, index: number): void;
  /**
   * Runs a part that may fail alone: if it throws a Refusal, its writes are taken back and the Refusal is returned.
   * (A refused command as a whole is taken back by the store.)
   */
  attempt<T>(work: () => T): Outcome<T, Refusal>;
  /** Local knowledge that no reader of the state depends on: for what restores and reports progress. See snapshot-restore.ts. */
  readonly staging: StagingArea;
}

/** Where a state that is being restored is collected, out of every reader's sight, until it takes over in one step. */
export interface StagingArea {
  /** Empties the area and names what is coming. */
  begin(id: string): void;
  /** Adds rows as they are stored, and makes their places in secondary orders; false if `id` is not what is being collected. */
  add(id: string, rows: readonly (readonly [key: string, value: Uint8Array])[]): boolean;
  /** Rows collected under `id`, or undefined if something else is being collected. */
  count(id: string): number | undefined;
  /** Makes the collected rows the state. Indexes continue behind `stateIndex`, the highest index among those rows. */
  takeOver(id: string, stateIndex: number): void;
}

/** A change that a command made: what wakes watches, feeds streams and fills history. */
export interface Change {
  readonly table: TableName;
  readonly key: Key;
  readonly before: unknown;
  readonly after: unknown;
}

/** What the leader lends a command before it is proposed; nothing of it is available while applying. */
export interface LeaderContext {
  readonly nowMs: number;
  readonly datacenter: string;
  /** A random version 4 UUID. */
  uuid(): string;
  /** The leader's state; may be older than the state that the command will meet. */
  readonly read: ReadTx;
  /** Until when (ms, as nowMs) the key may not be locked again after its session ended by force; 0 if it may. */
  lockDelayUntilMs(key: string): number;
  /** Shortest TTL that a session may ask for, in nanoseconds. */
  readonly sessionTtlMinNs: number;
}

/** What `prepare` returns when the answer is known without asking the state: nothing is proposed. */
export class Settled<Result> {
  readonly result: Result;
  constructor(result: Result) {
    this.result = result;
  }
}

export interface ApplyContext {
  readonly origin: Origin;
}

/**
 * A change of the replicated state. `prepare` runs once, on the leader: it decides what depends on time or chance and
 * refuses what is wrong whatever the state. `apply` runs on every server, depends on nothing but its arguments and the
 * state, and either writes all or throws a Refusal and writes nothing.
 */
export interface Command<Args, Result> {
  readonly name: string;
  /** Raised when the meaning of `args` changes; a server that meets a version it does not know stops. */
  readonly version: number;
  /** Proposed by the leader's own duties only: refused from any other process, whatever its token. */
  readonly internal?: true;
  prepare?(args: Args, leader: LeaderContext): Args | Settled<Result>;
  apply(tx: WriteTx, args: Args, context: ApplyContext): Result;
}

/** A read. `index` is what `X-Consul-Index` reports and what a blocking read compares with (index rules: queries/). */
export interface Query<Args, Value> {
  readonly name: string;
  run(tx: ReadTx, args: Args): { readonly index: number; readonly value: Value; readonly notFound?: boolean };
}

export function command<Args, Result>(definition: Command<Args, Result>): Command<Args, Result> {
  return definition;
}

export function query<Args, Value>(definition: Query<Args, Value>): Query<Args, Value> {
  return definition;
}
