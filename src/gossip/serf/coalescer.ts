/**
 * Holding events back for a moment, so that a burst reaches the application as its last word: several changes of one
 * member as the final one, several user events of one name as the newest. Only delivery waits, never the wire. A batch
 * ends when nothing came for the quiet period, or after the whole period at the latest.
 */
import type { MemberChange, SerfContext } from './context.ts';
import type { Member } from './member.ts';
import type { UserEvent } from './user-event.ts';

type Flush<T> = (held: readonly T[]) => void;

/** The common part: when to flush. A generation marks the timers of a batch that was flushed already. */
abstract class Holder<T> {
  private readonly context: SerfContext;
  private readonly what: 'members' | 'userEvents';
  private readonly flush: Flush<T>;
  private generation = 0;
  private startedMs = 0;
  private lastMs = 0;
  private waiting = false;

  constructor(context: SerfContext, what: 'members' | 'userEvents', flush: Flush<T>) {
    this.context = context;
    this.what = what;
    this.flush = flush;
  }

  protected abstract takeAll(): T[];

  get enabled(): boolean {
    return this.context.config.coalescePeriodMs > 0;
  }

  protected touched(): void {
    const { config, nowMs, outbox } = this.context;
    this.lastMs = nowMs;
    if (this.waiting) return;
    this.waiting = true;
    this.startedMs = nowMs;
    const waitMs = Math.min(config.coalescePeriodMs, config.quiescentPeriodMs || config.coalescePeriodMs);
    outbox.after(waitMs, { kind: 'flushEvents', what: this.what, generation: this.generation });
  }

  /** Flushes, or waits on if something came in the meantime. */
  timer(generation: number): void {
    if (generation !== this.generation || !this.waiting) return;
    const { config, nowMs, outbox } = this.context;
    const quiet = config.quiescentPeriodMs || config.coalescePeriodMs;
    const dueMs = Math.min(this.startedMs + config.coalescePeriodMs, this.lastMs + quiet);
    if (dueMs > nowMs) {
      outbox.after(dueMs - nowMs, { kind: 'flushEvents', what: this.what, generation });
      return;
    }
    this.generation++;
    this.waiting = false;
    this.flush(this.takeAll());
  }
}

export interface HeldChange {
  readonly change: MemberChange;
  readonly member: Member;
}

export class MemberHolder extends Holder<HeldChange> {
  private readonly held = new Map<string, HeldChange>();
  private readonly delivered = new Map<string, MemberChange>();

  add(change: HeldChange): void {
    this.held.set(change.member.name, change);
    this.touched();
  }

  /** A change equal to the last one delivered for that member says nothing; updates always do. */
  protected takeAll(): HeldChange[] {
    const fresh = [...this.held.values()].filter(
      ({ change, member }) => change === 'update' || this.delivered.get(member.name) !== change,
    );
    this.held.clear();
    for (const { change, member } of fresh) {
      if (change === 'reap') this.delivered.delete(member.name);
      else this.delivered.set(member.name, change);
    }
    return fresh;
  }
}

export class UserEventHolder extends Holder<UserEvent> {
  private held = new Map<string, UserEvent[]>();

  /** Of one name the newest Lamport time wins; equal times are all kept. */
  add(event: UserEvent): void {
    const newest = this.held.get(event.name)?.[0]?.lamportTime ?? -1;
    if (event.lamportTime > newest) this.held.set(event.name, [event]);
    else if (event.lamportTime === newest) this.held.get(event.name)!.push(event);
    this.touched();
  }

  protected takeAll(): UserEvent[] {
    const all = [...this.held.values()].flat();
    this.held = new Map();
    return all;
  }
}
