/**
 * What the application and its snapshot hear of: members that came and went, user events. Repeats within a short time are
 * merged where the configuration wants it.
 */
import { type HeldChange, MemberHolder, UserEventHolder } from './coalescer.ts';
import type { MemberChange, PoolTimer, SerfContext } from './context.ts';
import type { Member } from './member.ts';
import { snapshotLine } from './snapshot.ts';
import type { UserEvent } from './user-event.ts';

export class Announcer {
  private readonly context: SerfContext;
  private readonly members: MemberHolder;
  private readonly events: UserEventHolder;

  constructor(context: SerfContext) {
    this.context = context;
    this.members = new MemberHolder(context, 'members', (held) => held.map((change) => this.tellChange(change)));
    this.events = new UserEventHolder(context, 'userEvents', (held) => held.map((event) => this.tellEvent(event)));
  }

  /** `remembered`: the snapshot should follow. */
  memberChanged(change: MemberChange, member: Member, remembered: boolean): void {
    if (remembered) this.noteForSnapshot(change, member);
    if (this.members.enabled) this.members.add({ change, member });
    else this.tellChange({ change, member });
  }

  userEvent(event: UserEvent): void {
    if (event.coalesce && this.events.enabled) this.events.add(event);
    else this.tellEvent(event);
  }

  timer({ what, generation }: Extract<PoolTimer, { kind: 'flushEvents' }>): void {
    (what === 'members' ? this.members : this.events).timer(generation);
  }

  private noteForSnapshot(change: MemberChange, member: Member): void {
    const { outbox } = this.context;
    if (change === 'join') outbox.notify({ kind: 'snapshot', line: snapshotLine.alive(member.name, member) });
    else if (change === 'leave' || change === 'failed') {
      outbox.notify({ kind: 'snapshot', line: snapshotLine.notAlive(member.name) });
    }
  }

  private tellChange({ change, member }: HeldChange): void {
    this.context.outbox.notify({ kind: 'member', change, member });
  }

  private tellEvent(event: UserEvent): void {
    this.context.outbox.notify({ kind: 'userEvent', event });
  }
}
