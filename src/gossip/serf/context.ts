/** What the parts of Serf share, and the timers and events of the whole pool. */
import type { Random } from '../../std/random.ts';
import type { GossipConfig } from '../config.ts';
import type { Counters } from '../metrics.ts';
import type { JoinFailure, SwimTimer } from '../swim/context.ts';
import type { EffectSink } from '../swim/outbox.ts';
import type { Endpoint } from '../swim/types.ts';
import type { LamportClock } from './lamport.ts';
import type { Member } from './member.ts';
import type { UserEvent } from './user-event.ts';

export type SerfTimer =
  | { readonly kind: 'reap' }
  | { readonly kind: 'reconnect' }
  | { readonly kind: 'queueCheck' }
  /** One of our own queries is over. */
  | { readonly kind: 'queryOver'; readonly query: number }
  /** A query that reached us can no longer be answered. */
  | { readonly kind: 'answerOver'; readonly answer: number }
  | { readonly kind: 'leaveStep'; readonly step: 'intentTimeout' | 'leaveTimeout' | 'propagated' }
  | { readonly kind: 'waitTimeout'; readonly token: string }
  /** A pruned member that was still leaving is erased now. */
  | { readonly kind: 'prune'; readonly name: string }
  | { readonly kind: 'flushEvents'; readonly what: 'members' | 'userEvents'; readonly generation: number };

export type PoolTimer = SwimTimer | SerfTimer;

export type MemberChange = 'join' | 'leave' | 'failed' | 'update' | 'reap';

export type KeyOperationName = 'install' | 'use' | 'remove' | 'list';

/** A query that reached us, for the application. */
export interface DeliveredQuery {
  /** For `Pool.respond`. */
  readonly answer: number;
  readonly name: string;
  readonly payload: Uint8Array;
  readonly lamportTime: number;
  readonly sourceName: string;
  readonly timeoutMs: number;
}

export type PoolEvent =
  | { readonly kind: 'member'; readonly change: MemberChange; readonly member: Member }
  | { readonly kind: 'userEvent'; readonly event: UserEvent }
  | { readonly kind: 'query'; readonly query: DeliveredQuery }
  | { readonly kind: 'queryAck'; readonly query: number; readonly from: string }
  | { readonly kind: 'queryResponse'; readonly query: number; readonly from: string; readonly payload: Uint8Array }
  | { readonly kind: 'queryOver'; readonly query: number }
  | { readonly kind: 'joinDone'; readonly join: number; readonly failure: JoinFailure | undefined }
  /** A wait for a broadcast (tags, force-leave) is over. */
  | { readonly kind: 'waitDone'; readonly token: string; readonly timedOut: boolean }
  | { readonly kind: 'left' }
  /** Change or list the keyring, then call `Pool.keyAnswer`. */
  | {
      readonly kind: 'keyRequest';
      readonly answer: number;
      readonly operation: KeyOperationName;
      readonly key: Uint8Array;
    }
  /** A line for the snapshot. */
  | { readonly kind: 'snapshot'; readonly line: string }
  /** This member must stop: its name belongs to another. */
  | { readonly kind: 'shutdown'; readonly reason: string };

export interface SerfContext {
  readonly config: GossipConfig;
  readonly name: string;
  readonly advertise: Endpoint;
  readonly counters: Counters;
  readonly outbox: EffectSink<PoolTimer, PoolEvent>;
  readonly clocks: { readonly member: LamportClock; readonly event: LamportClock; readonly query: LamportClock };
  readonly random: Random;
  /** The time of the step in progress. */
  nowMs: number;
}
