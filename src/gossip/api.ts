/**
 * What a program that uses the gossip pool holds in its hands: options in, members and events out. Nothing here knows
 * of a mesh; a chat server could use it.
 */
import type { Clock } from '../std/clock.ts';
import type { Random } from '../std/random.ts';
import type { GossipConfig, Profile } from './config.ts';
import type { Coordinate } from './serf/coordinate.ts';
import type { KeyResult } from './serf/internal-queries.ts';
import type { Member } from './serf/member.ts';
import type { UserEvent } from './serf/user-event.ts';
import type { Transport } from './transport/transport.ts';

export interface GossipOptions {
  /** Unique in the pool; letters, digits, `-`, `_` and `.`, at most 128 bytes. */
  readonly name: string;
  /** Where UDP and TCP listen. An IP address, not a host name. */
  readonly bindAddress: string;
  /** 0 takes a free port, the same for UDP and TCP. */
  readonly bindPort: number;
  /** What the others are told; default: the bound address (for `0.0.0.0` the first non-loopback one) and port. */
  readonly advertiseAddress?: string;
  readonly advertisePort?: number;
  readonly tags?: Readonly<Record<string, string>>;
  /** Timing for a local network, a wide one, or one host; default `lan`. */
  readonly profile?: Profile;
  /** Single settings over the profile. */
  readonly config?: Partial<GossipConfig>;
  /** Base64 keys of 16, 24 or 32 bytes, the primary first. Empty or absent: no encryption. */
  readonly keyring?: readonly string[];
  /** JSON file of base64 keys, rewritten (mode 0600) on each key change. When it exists it wins over `keyring`. */
  readonly keyringPath?: string;
  /** Refuse packets that are not encrypted (default true), send only encrypted ones (default true). */
  readonly encryptVerifyIncoming?: boolean;
  readonly encryptVerifyOutgoing?: boolean;
  /** Keeps pools that share a network apart: packets of another label are dropped. Real Serf 0.9.4 has none. */
  readonly label?: string;
  /** Remembers members and clocks over restarts, and joins them again. */
  readonly snapshotPath?: string;
  /** Also rejoin after a graceful leave. */
  readonly rejoinAfterLeave?: boolean;
  /** Veto over members: a text refuses, with the reason. Asked for each record of a join and for each alive message. */
  readonly admit?: (member: Member) => string | undefined;
  /** Also checks the whole batch of a joining push-pull (Consul's merge delegate). */
  readonly admitAll?: (members: readonly Member[]) => string | undefined;
  /** CIDRs; alive messages about addresses outside all of them are refused. Absent: everything is allowed. */
  readonly allowedCidrs?: readonly string[];
  /** Per member override of the time from failed to reaped, in ms (Consul's `rc_tm` tag); undefined: the setting. */
  readonly reconnectTimeoutOf?: (member: Member) => number | undefined;
  /**
   * Whether a dead member and one that claims its name from another address are the same (a host that moved): then it is
   * taken in at once, not only after `deadNodeReclaimMs`. Absent: nobody can tell.
   */
  readonly sameOwner?: (dead: Member, claimed: Member) => boolean;
  /** Shut down when another member owns our name and the pool says so (Serf yes, Consul no). Default true. */
  readonly nameConflictResolution?: boolean;
}

export interface Logger {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** The world a node lives in; each has a real default and a simulated brother. */
export interface GossipEdges {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly transport?: Transport;
  readonly logger?: Logger;
}

/** A query that reached us. Answer at most once, before the deadline. */
export interface IncomingQuery {
  readonly name: string;
  readonly payload: Uint8Array;
  readonly lamportTime: number;
  readonly sourceName: string;
  /** Milliseconds left when it was delivered. */
  readonly timeoutMs: number;
  /** Throws GossipError `query-response-too-large`, `query-already-answered` or `query-timed-out`. */
  respond(payload: Uint8Array): void;
}

export interface GossipEvents {
  join: Member;
  leave: Member;
  failed: Member;
  update: Member;
  reap: Member;
  userEvent: UserEvent;
  query: IncomingQuery;
  /** The node stopped by itself, e.g. after it lost a name conflict. */
  shutdown: { readonly reason: string };
}

export interface JoinOptions {
  /** Do not deliver user events that happened before the join. */
  readonly ignoreOldEvents?: boolean;
}

export interface JoinResult {
  /** Members reached. */
  readonly joined: number;
  readonly errors: readonly { readonly address: string; readonly error: Error }[];
}

export interface QueryParams {
  /** Only members with these names. */
  readonly nodes?: readonly string[];
  /** Only members whose tag matches the (RE2, unanchored) expression. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly requestAck?: boolean;
  /** Up to this many other members carry each answer as well. */
  readonly relayFactor?: number;
  /** Default: gossipInterval × 16 × ceil(log10(members + 1)). */
  readonly timeoutMs?: number;
}

export interface QueryResponse {
  readonly from: string;
  readonly payload: Uint8Array;
}

/** A running query of ours: iterate over what comes in; the iteration ends with the timeout or `close()`. */
export interface QueryHandle extends AsyncIterable<QueryResponse> {
  readonly deadlineMs: number;
  /** Names that acknowledged so far. */
  readonly acks: ReadonlySet<string>;
  readonly responses: readonly QueryResponse[];
  /** Resolves when the query is over. */
  readonly done: Promise<void>;
  close(): void;
}

export interface KeyOptions {
  /** Up to this many other members carry each member's answer as well, against loss; default 0. */
  readonly relayFactor?: number;
}

export interface KeyManager {
  install(key: string, options?: KeyOptions): Promise<KeyResult>;
  use(key: string, options?: KeyOptions): Promise<KeyResult>;
  remove(key: string, options?: KeyOptions): Promise<KeyResult>;
  list(options?: KeyOptions): Promise<KeyResult>;
}

/** The contract of GossipNode; `GossipNode.open(options, edges)` makes one. */
export interface Gossip {
  members(): Member[];
  local(): Member;
  on<K extends keyof GossipEvents>(event: K, callback: (value: GossipEvents[K]) => void): () => void;
  /** Contacts each `[name/]host[:port]`; fails with `join-failed` only if none could be reached. */
  join(addresses: readonly string[], options?: JoinOptions): Promise<JoinResult>;
  /** Leaves gracefully; the node stays reachable until `stop()`. */
  leave(): Promise<void>;
  /** Turns a failed member into a left one; `prune` erases it. */
  forceLeave(name: string, options?: { readonly prune?: boolean }): Promise<void>;
  setTags(tags: Readonly<Record<string, string>>): Promise<void>;
  userEvent(name: string, payload: Uint8Array, options?: { readonly coalesce?: boolean }): void;
  query(name: string, payload: Uint8Array, params?: QueryParams): QueryHandle;
  readonly keys: KeyManager;
  coordinate(): Coordinate;
  coordinateOf(name: string): Coordinate | undefined;
  stats(): Record<string, string>;
  /** Stops at once and silently; the others will see a failure unless `leave()` came first. */
  stop(): Promise<void>;
}
