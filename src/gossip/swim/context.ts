/**
 * What the parts of SWIM share: settings, the member table, the queue of broadcasts, and the interface to the layer
 * above. The layer above (Serf, or nothing) is called synchronously and is as pure as this one.
 */
import type { Random } from '../../std/random.ts';
import type { GossipConfig } from '../config.ts';
import type { Counters } from '../metrics.ts';
import type { Alive } from '../wire/messages.ts';
import type { Awareness } from './awareness.ts';
import type { BroadcastQueue } from './broadcast-queue.ts';
import type { MemberTable } from './member-table.ts';
import type { EffectSink } from './outbox.ts';
import type { Endpoint, Peer } from './types.ts';

/** Timers are data; each names what it is about, so that one that comes too late is recognised and ignored. */
export type SwimTimer =
  | { readonly kind: 'probe' }
  | { readonly kind: 'probeTimeout'; readonly seqNo: number; readonly graced?: boolean }
  | { readonly kind: 'probeEnd'; readonly seqNo: number; readonly graced?: boolean }
  | { readonly kind: 'relayTimeout'; readonly seqNo: number }
  | { readonly kind: 'suspicion'; readonly name: string; readonly suspicion: number; readonly graced?: boolean }
  | { readonly kind: 'gossip' }
  | { readonly kind: 'pushPull' };

/** Why a join did not happen. */
export interface JoinFailure {
  readonly code: 'not-reachable' | 'join-refused';
  readonly reason: string;
}

/** The layer above. Members it hears of are alive at `joined`, dead or left (see their state) at `left`. */
export interface SwimDelegate {
  joined(peer: Peer): void;
  updated(peer: Peer): void;
  left(peer: Peer): void;
  /** Somebody claims a name that belongs to another address. */
  conflict(existing: Peer, claimed: Alive): void;
  /** The body of a user message; who told it, if by a packet. */
  userMessage(body: Uint8Array, from?: Endpoint): void;
  /** Rides on each ack of ours. */
  ackPayload(): Uint8Array | null;
  /** A direct ack came in time. */
  acked(peer: Peer, roundTripMs: number, payload: Uint8Array | null): void;
  /** Somebody pings us, by the name and the address that it gives, who is dead, has left, or is not known (any more). */
  pingedByGone?(name: string, at: Endpoint): void;
  hasBroadcasts(): boolean;
  /** Bodies of user messages for a packet to `to` that fit `bytes`, each costing `overhead` more than its length. */
  broadcasts(bytes: number, overhead: number, partsFree: number, to: Endpoint): Uint8Array[];
  userState(join: boolean): Uint8Array;
  mergeUserState(state: Uint8Array, join: boolean): void;
  /** A push-pull asked for with `join` is over. */
  joinDone(join: number, failure: JoinFailure | undefined): void;
  /** A broadcast that was given a token was told often enough, or overtaken by a newer one. */
  broadcastDone(token: string): void;
  /** A text refuses the member. */
  admit?(peer: Peer): string | undefined;
  /** Whether a dead member and who claims its name from another address are one; absent: nobody can tell. */
  sameOwner?(dead: Peer, claimed: Peer): boolean;
  /** Asked with all records of a joining push-pull. */
  admitAll?(peers: readonly Peer[]): string | undefined;
}

export interface SwimContext {
  readonly config: GossipConfig;
  readonly name: string;
  readonly table: MemberTable;
  readonly queue: BroadcastQueue;
  readonly awareness: Awareness;
  readonly counters: Counters;
  readonly delegate: SwimDelegate;
  readonly outbox: EffectSink<SwimTimer, never>;
  /** Named streams: one for each purpose. */
  readonly random: { readonly probe: Random; readonly gossip: Random; readonly pushPull: Random };
  /** What encryption and label add to a packet. */
  readonly packetOverheadBytes: number;
  /** What the others are told. */
  readonly advertise: Endpoint;
  /** The time of the step in progress. */
  nowMs: number;
  leaving: boolean;
}
