/**
 * What a door asks of the cluster. A server implements it on its own Raft and state; a client agent over cluster.proto to
 * a server. Either way the caller names a command or a query, with arguments that can travel.
 *
 * Failures are thrown: `Refusal` (from fsm: certain, nothing written) or `BackendError` (below).
 */
import type { ConfigurationRequest } from '../ca/index.ts';
import type { CommandArgs, CommandName, CommandResult, QueryArgs, QueryName, QueryValue } from '../fsm/index.ts';
import type { Awaitable } from '../std/awaitable.ts';
import { HeddleError } from '../std/errors.ts';
import type {
  AutopilotHealth,
  AutopilotState,
  DatacenterCoordinates,
  IssuedCert,
  NodeCoordinate,
  RaftConfiguration,
  Session,
} from '../structs/index.ts';
import type { KeyringChange, KeyringOptions, PoolKeys } from './keyring.ts';

/** Who asks: rides on every request from the first day. */
export interface Caller {
  /** The token's secret; '' for anonymous. Never logged. */
  readonly token: string;
  /** `ip:port` of the client, '' for the agent itself. */
  readonly address: string;
  /** `PUT /v1/kv/a`. */
  readonly call: string;
  /** Datacenter asked; '' is the own one. */
  readonly datacenter: string;
}

export interface ReadOptions {
  readonly caller: Caller;
  readonly consistency: 'default' | 'consistent' | 'stale';
  /** With stale: an answer older than this (ms since leader contact) is asked again of the leader. */
  readonly maxStaleMs?: number;
  /** Block while the index is at or below this; 0 or absent does not block. */
  readonly minIndex?: number;
  /** Longest blocking, ms, before jitter; absent: the default of 300 s. */
  readonly waitMs?: number;
  /** Aborts a blocking read when the client hangs up. */
  readonly signal?: AbortSignal;
  /**
   * While a blocking read waits on what a client agent keeps current: called with false when no server keeps it so any more,
   * with true when one does again. Never travels.
   */
  readonly contact?: (stands: boolean) => void;
}

export interface Answer<Value> {
  readonly value: Value;
  readonly index: number;
  readonly knownLeader: boolean;
  /** Milliseconds since the answering server last heard of the leader; 0 on the leader. */
  readonly lastContactMs: number;
  readonly notFound: boolean;
}

/** Requests that are neither a command nor a query: things the leader does. Rooms that own one add it here. */
export interface Calls {
  /** Replaces the CA's configuration; may rotate the root. */
  'ca.configure': { args: ConfigurationRequest; result: null };
  /** Signs a leaf for the identity in the CSR. The private key stays with whoever made the CSR. */
  'ca.sign': { args: { readonly csr: string }; result: IssuedCert };
  'status.leader': { args: Record<string, never>; result: string };
  'status.peers': { args: Record<string, never>; result: readonly string[] };
  /** Before a cluster exists: does this server agree to begin one with exactly these? Answered by the server asked. */
  'bootstrap.consent': {
    args: { readonly voters: readonly { readonly id: string; readonly address: string }[] };
    /** `logId`: what the Raft log of the server asked is called, should the cluster begin. */
    result: { readonly agrees: boolean; readonly logId: number };
  };
  /** Who answers at this address? */
  'status.server': { args: Record<string, never>; result: { readonly id: string } };
  /** Names, the own one first, then by distance. Answered by any server. */
  'catalog.datacenters': { args: Record<string, never>; result: readonly string[] };
  /** Restarts the session's TTL on the leader; null for an unknown one. Throws a Refusal for what is no id. */
  'session.renew': { args: { readonly id: string }; result: Session | null };
  /** Taken note of; applied with others within seconds. Updates of unknown nodes are dropped. */
  'coordinate.update': { args: NodeCoordinate; result: null };
  /** Servers of the datacenters known, from the point of view of the server asked. */
  'coordinate.datacenters': { args: Record<string, never>; result: readonly DatacenterCoordinates[] };
  /** Of all pools of the server asked. Throws a Refusal (`failed`) with what each pool complained of. */
  'keyring.list': { args: KeyringOptions & { readonly localOnly: boolean }; result: readonly PoolKeys[] };
  'keyring.change': {
    args: KeyringOptions & { readonly operation: KeyringChange; readonly key: string };
    result: null;
  };
  'operator.raftConfiguration': { args: Record<string, never>; result: RaftConfiguration };
  /** One of the two is empty. Throws a Refusal (`failed`) for a server that is not in the configuration. */
  'operator.removePeer': { args: { readonly id: string; readonly address: string }; result: null };
  /** To the server with that id; '' lets the leader choose. */
  'operator.transferLeader': { args: { readonly id: string }; result: { readonly Success: boolean } };
  'operator.autopilotHealth': { args: Record<string, never>; result: AutopilotHealth };
  'operator.autopilotState': { args: Record<string, never>; result: AutopilotState };
}
export type CallName = keyof Calls;

export interface Backend {
  readonly datacenter: string;
  /** Name of this agent's node. */
  readonly nodeName: string;
  apply<N extends CommandName>(name: N, args: CommandArgs<N>, caller: Caller): Promise<CommandResult<N>>;
  /** At hand where this process may answer at once; may throw as well as reject. */
  query<N extends QueryName>(name: N, args: QueryArgs<N>, options: ReadOptions): Awaitable<Answer<QueryValue<N>>>;
  call<N extends CallName>(name: N, args: Calls[N]['args'], caller: Caller): Promise<Calls[N]['result']>;
}

/** Saving and restoring the whole state, as an archive (gzip of tar: meta.json, state.bin, SHA256SUMS). */
export interface Snapshots {
  /** On the leader after it confirmed its leadership; with `stale` on the server asked. */
  save(options: Pick<ReadOptions, 'caller' | 'consistency'>): Promise<SavedSnapshot>;
  /**
   * Replaces the state of all servers. The archive is read and checked completely before anything changes; a Refusal
   * (`failed`) names what is wrong with it, and then nothing changed.
   */
  restore(archive: AsyncIterable<Uint8Array>, caller: Caller): Promise<void>;
}

export interface SavedSnapshot extends Omit<Answer<null>, 'value' | 'notFound'> {
  readonly archive: AsyncIterable<Uint8Array>;
}

/**
 * | code           | when                                                              | outcome of a write | retry |
 * | -------------- | ----------------------------------------------------------------- | ------------------ | ----- |
 * | noLeader       | no leader for the whole hold time (7 s): `No cluster leader`      | not applied        | yes   |
 * | noServers      | a client agent knows no server: `No known Consul servers`         | not applied        | yes   |
 * | noPath         | unknown datacenter: `No path to datacenter`                       | not applied        | no    |
 * | overloaded     | too much waits to be committed (doors answer 503 with Retry-After) | not applied        | yes   |
 * | unknownOutcome | leadership or the connection was lost after sending               | unknown            | with care |
 * | stopped        | this process shuts down                                           | unknown            | elsewhere |
 */
export type BackendCode = 'noLeader' | 'noServers' | 'noPath' | 'overloaded' | 'unknownOutcome' | 'stopped';

export class BackendError extends HeddleError<BackendCode> {}
