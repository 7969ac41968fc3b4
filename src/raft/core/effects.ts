/** What a step asks of the world. The driver carries it out; what completes comes back as an input. */
import type { Message } from './messages.ts';
import type { Persist } from './persistence.ts';
import type { ReadyRead } from './read-queue.ts';
import type { Configuration, LogIndex, Role, ServerId, Term } from './types.ts';

/** Entries that a follower needs and that are not in memory. */
export interface LoadRequest {
  readonly to: ServerId;
  readonly term: Term;
  readonly from: LogIndex;
  readonly upTo: LogIndex;
  readonly entriesMax: number;
  readonly bytesMax: number;
}

export type CoreEvent =
  | { readonly kind: 'role'; readonly role: Role; readonly term: Term }
  | { readonly kind: 'leader'; readonly leaderId: ServerId | undefined; readonly term: Term }
  | { readonly kind: 'transferEnded'; readonly succeeded: boolean; readonly to: ServerId }
  | { readonly kind: 'members'; readonly configuration: Configuration }
  /** A voter answers with another log than the one it is a voter with: its disk was emptied or replaced. */
  | { readonly kind: 'logLost'; readonly id: ServerId }
  | { readonly kind: 'badMessage'; readonly from: ServerId; readonly reason: string };

export interface Effects {
  /** Write this, then report `persisted(number)`. Persists are issued, and must finish, in order. */
  readonly persist: Persist | undefined;
  /** May leave now: they promise nothing, or what they promise is durable. */
  readonly send: readonly Message[];
  readonly loads: readonly LoadRequest[];
  /** Entries up to here may be applied. */
  readonly applyUpTo: LogIndex;
  /** These reads are linearizable at their index once it is applied. */
  readonly readsReady: readonly ReadyRead[];
  readonly readsFailed: readonly number[];
  /** These followers need a checkpoint; report `checkpointSent`. */
  readonly checkpointsFor: readonly ServerId[];
  readonly events: readonly CoreEvent[];
}
