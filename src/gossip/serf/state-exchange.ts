/** Serf's part of a push-pull: Lamport times, who left, and recent user events, to make up for gossip that did not arrive. */
import type { WireProblem } from '../wire/malformed.ts';
import { decodeSerf, encodeSerf, type PushPullState } from '../wire/serf.ts';
import type { SerfContext } from './context.ts';
import type { Roster } from './roster.ts';
import type { UserEventLog } from './user-events.ts';

export class StateExchange {
  private readonly context: SerfContext;
  private readonly roster: Roster;
  private readonly userEvents: UserEventLog;
  private readonly problem: (problem: WireProblem) => void;
  /** Our joins under way that are not to bring old events. */
  private readonly ignoringJoins = new Set<number>();

  constructor(
    context: SerfContext,
    parts: { readonly roster: Roster; readonly userEvents: UserEventLog; problem(problem: WireProblem): void },
  ) {
    this.context = context;
    this.roster = parts.roster;
    this.userEvents = parts.userEvents;
    this.problem = parts.problem;
  }

  ignoreOldEvents(join: number): void {
    this.ignoringJoins.add(join);
  }

  joinDone(join: number): void {
    this.ignoringJoins.delete(join);
  }

  own(): Uint8Array {
    const { clocks } = this.context;
    const body: PushPullState = {
      LTime: clocks.member.time,
      StatusLTimes: this.roster.statusTimes(),
      LeftMembers: this.roster.leftMembers(),
      EventLTime: clocks.event.time,
      Events: this.userEvents.image(),
      QueryLTime: clocks.query.time,
    };
    return encodeSerf({ kind: 'pushPull', body });
  }

  merge(bytes: Uint8Array, join: boolean): void {
    const decoded = decodeSerf(bytes);
    if (!decoded.ok) return this.problem(decoded.problem);
    if (decoded.message.kind !== 'pushPull') return this.context.counters.add('droppedUnknownType');
    const state = decoded.message.body;
    const { clocks } = this.context;
    if (state.LTime > 0) clocks.member.witness(state.LTime - 1);
    if (state.EventLTime > 0) clocks.event.witness(state.EventLTime - 1);
    if (state.QueryLTime > 0) clocks.query.witness(state.QueryLTime - 1);
    const left = new Set(state.LeftMembers ?? []);
    for (const name of left) this.roster.leaveIntent((state.StatusLTimes.get(name) ?? -1) + 1, name, false);
    for (const [name, lamportTime] of state.StatusLTimes) {
      if (!left.has(name)) this.roster.joinIntent(lamportTime, name);
    }
    if (join && this.ignoringJoins.size > 0) this.userEvents.ignoreBefore(state.EventLTime);
    this.userEvents.merge(state.Events ?? []);
  }
}
