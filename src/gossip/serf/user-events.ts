/**
 * User events: a name and some bytes that reach every member once, in no particular order. A ring of recent Lamport
 * times remembers what was seen; it also travels in push-pulls, so that a member that was away learns what it missed.
 */

import { sameBytes } from '../swim/types.ts';
import type { PastEvents, UserEventMessage } from '../wire/serf.ts';
import type { SerfContext } from './context.ts';
import type { UserEvent } from './user-event.ts';

interface Slot {
  readonly lamportTime: number;
  readonly events: { readonly Name: string; readonly Payload: Uint8Array | null }[];
}

/** Honest senders rarely share a Lamport time; this many different events of one time are remembered. */
const eventsPerTimeMax = 256;
const none = new Uint8Array(0);

export class UserEventLog {
  private readonly context: SerfContext;
  private readonly slots: (Slot | undefined)[];
  private readonly deliver: (event: UserEvent) => void;
  /** Events before this are not delivered: they happened before this member joined, or in an earlier life. */
  private minTime = 0;

  constructor(context: SerfContext, deliver: (event: UserEvent) => void) {
    this.context = context;
    this.deliver = deliver;
    this.slots = Array(context.config.eventBuffer).fill(undefined);
  }

  ignoreBefore(lamportTime: number): void {
    this.minTime = Math.max(this.minTime, lamportTime);
  }

  /** True if the event is new: it was delivered, and should be told on. */
  receive(message: UserEventMessage): boolean {
    const { LTime, Name, CC } = message;
    const Payload = message.Payload ?? none;
    this.context.clocks.event.witness(LTime);
    if (!this.isNew(LTime, Name, Payload)) {
      this.context.counters.add('droppedDuplicateEvent');
      return false;
    }
    this.deliver({ name: Name, payload: Payload, lamportTime: LTime, coalesce: CC });
    return true;
  }

  /** Looks the event up in the ring, and remembers it when it is new. */
  private isNew(lamportTime: number, Name: string, Payload: Uint8Array): boolean {
    const size = this.slots.length;
    const now = this.context.clocks.event.time;
    if (lamportTime < this.minTime) return false;
    if (now > size && lamportTime < now - size) return false;
    const index = lamportTime % size;
    const slot = this.slots[index];
    if (slot?.lamportTime !== lamportTime) {
      this.slots[index] = { lamportTime, events: [{ Name, Payload }] };
      return true;
    }
    if (slot.events.length >= eventsPerTimeMax) return false;
    if (slot.events.some((seen) => seen.Name === Name && sameBytes(seen.Payload ?? none, Payload))) return false;
    slot.events.push({ Name, Payload });
    return true;
  }

  /** The ring as push-pulls carry it. */
  image(): (PastEvents | null)[] {
    return this.slots.map((slot) => (slot === undefined ? null : { LTime: slot.lamportTime, Events: slot.events }));
  }

  /** Events that another member remembers; nothing learnt here is told on, since everybody does push-pulls. */
  merge(past: readonly (PastEvents | null)[]): void {
    for (const entry of past) {
      for (const { Name, Payload } of entry?.Events ?? [])
        this.receive({ LTime: entry!.LTime, Name, Payload, CC: false });
    }
  }
}
