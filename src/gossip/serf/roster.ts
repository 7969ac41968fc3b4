/**
 * Who is in the pool, Serf's view. SWIM knows alive and dead; Serf adds *leaving*, announced by an intent before SWIM
 * says dead, and so tells a member that left from one that failed. Intents carry Lamport times, since they may overtake
 * each other and SWIM's own messages; one for a member not known yet is kept for a while.
 *
 *     alive ── leave intent ──> leaving ── dead ──> left ──┐
 *       └────────── dead ──> failed ── leave intent ───────┘──> reaped after a day
 */
import type { Endpoint, Peer } from '../swim/types.ts';
import type { MemberChange, SerfContext } from './context.ts';
import type { LamportTime } from './lamport.ts';
import { type Member, memberFromPeer } from './member.ts';

interface Entry {
  readonly member: Member;
  /** Lamport time of the last intent that was applied; 0 before the first. */
  readonly statusTime: LamportTime;
  /** When it left or failed. */
  readonly goneMs: number;
}

interface Intent {
  readonly kind: 'join' | 'leave';
  readonly lamportTime: LamportTime;
  readonly receivedMs: number;
}

/** Intents for unknown members are few in an honest pool. */
const intentsMax = 10_000;

export interface RosterHooks {
  changed(change: MemberChange, member: Member): void;
  /** An old or false leave intent about ourselves: say that we are here. */
  refuteLeave(): void;
  /** Per member override of failed -> reaped, in ms. */
  reconnectTimeoutMs(member: Member): number;
}

export class Roster {
  private readonly context: SerfContext;
  private readonly hooks: RosterHooks;
  private readonly entries = new Map<string, Entry>();
  private readonly intents = new Map<string, Intent>();
  /** This member is leaving by its own will: leave intents about it are true. */
  leaving = false;

  constructor(context: SerfContext, hooks: RosterHooks) {
    this.context = context;
    this.hooks = hooks;
  }

  get size(): number {
    return this.entries.size;
  }

  members(): Member[] {
    return Array.from(this.entries.values(), (entry) => entry.member);
  }

  get(name: string): Member | undefined {
    return this.entries.get(name)?.member;
  }

  countBy(status: Member['status']): number {
    let count = 0;
    for (const { member } of this.entries.values()) if (member.status === status) count++;
    return count;
  }

  /** A member of a pool that was in place before us; nobody is told. */
  adopt(peer: Peer): void {
    this.entries.set(peer.name, { member: memberFromPeer(peer, 'alive'), statusTime: 0, goneMs: 0 });
  }

  // --- SWIM says

  joined(peer: Peer): void {
    const known = this.entries.get(peer.name);
    if (known !== undefined) {
      const member = memberFromPeer(peer, 'alive');
      this.entries.set(peer.name, { ...known, member });
      return this.hooks.changed('join', member);
    }
    const intent = this.intents.get(peer.name);
    this.intents.delete(peer.name);
    const member = memberFromPeer(peer, intent?.kind === 'leave' ? 'leaving' : 'alive');
    this.entries.set(peer.name, { member, statusTime: intent?.lamportTime ?? 0, goneMs: 0 });
    this.hooks.changed('join', member);
  }

  updated(peer: Peer): void {
    const known = this.entries.get(peer.name);
    if (known === undefined) return;
    const member = memberFromPeer(peer, known.member.status);
    this.entries.set(peer.name, { ...known, member });
    this.hooks.changed('update', member);
  }

  left(peer: Peer): void {
    const known = this.entries.get(peer.name);
    if (known === undefined) return;
    if (known.member.status === 'leaving') this.become(known, 'left', 'leave');
    else if (known.member.status === 'alive') this.become(known, 'failed', 'failed');
  }

  private become(known: Entry, status: Member['status'], change: MemberChange): void {
    const member = { ...known.member, status };
    this.entries.set(member.name, { ...known, member, goneMs: this.context.nowMs });
    this.hooks.changed(change, member);
  }

  // --- intents; true means new here: tell it on

  joinIntent(lamportTime: LamportTime, name: string): boolean {
    this.context.clocks.member.witness(lamportTime);
    const known = this.entries.get(name);
    if (known === undefined) return this.buffer(name, 'join', lamportTime);
    if (lamportTime <= known.statusTime) return false;
    const status = known.member.status === 'leaving' ? 'alive' : known.member.status;
    this.entries.set(name, { ...known, statusTime: lamportTime, member: { ...known.member, status } });
    return true;
  }

  leaveIntent(lamportTime: LamportTime, name: string, prune: boolean): boolean {
    this.context.clocks.member.witness(lamportTime);
    const known = this.entries.get(name);
    if (known === undefined) return this.buffer(name, 'leave', lamportTime);
    if (lamportTime <= known.statusTime) return false;
    if (name === this.context.name && !this.leaving) {
      this.hooks.refuteLeave();
      return false;
    }
    const next: Entry = { ...known, statusTime: lamportTime };
    this.entries.set(name, next);
    if (known.member.status === 'alive') {
      this.entries.set(name, { ...next, member: { ...known.member, status: 'leaving' } });
    } else if (known.member.status === 'failed') {
      this.become({ ...next, goneMs: known.goneMs }, 'left', 'leave');
    }
    if (prune) this.prune(name);
    return true;
  }

  private buffer(name: string, kind: Intent['kind'], lamportTime: LamportTime): boolean {
    const older = this.intents.get(name);
    if (older !== undefined && older.lamportTime >= lamportTime) return false;
    if (older === undefined && this.intents.size >= intentsMax) return false;
    this.intents.set(name, { kind, lamportTime, receivedMs: this.context.nowMs });
    return true;
  }

  // --- forgetting

  /** Erases a member; one that is still leaving only after everybody had the time to hear of it. */
  private prune(name: string): void {
    const { config, outbox } = this.context;
    if (this.entries.get(name)?.member.status !== 'leaving') return this.erase(name);
    outbox.after(config.broadcastTimeoutMs + config.leavePropagateDelayMs, { kind: 'prune', name });
  }

  pruneTimer(name: string): void {
    const status = this.entries.get(name)?.member.status;
    if (status === 'leaving' || status === 'left') this.erase(name);
  }

  private erase(name: string): void {
    const known = this.entries.get(name);
    if (known === undefined || name === this.context.name) return;
    this.entries.delete(name);
    this.hooks.changed('reap', known.member);
  }

  /** Drops members that are gone for long enough, and old intents. */
  reap(): void {
    const { config, nowMs } = this.context;
    for (const { member, goneMs } of [...this.entries.values()]) {
      const ageMs = nowMs - goneMs;
      const failedTooLong = member.status === 'failed' && ageMs > this.hooks.reconnectTimeoutMs(member);
      if (failedTooLong || (member.status === 'left' && ageMs > config.tombstoneTimeoutMs)) this.erase(member.name);
    }
    for (const [name, intent] of this.intents) {
      if (nowMs - intent.receivedMs > config.recentIntentTimeoutMs) this.intents.delete(name);
    }
  }

  /** A failed member to try again, now and then: with a probability that grows with the share of failed ones. */
  reconnectCandidate(): Member | undefined {
    const failed = this.members().filter((member) => member.status === 'failed');
    if (failed.length === 0) return undefined;
    const healthy = Math.max(1, this.size - failed.length - this.countBy('left'));
    return this.context.random.chance(failed.length / healthy) ? this.context.random.pick(failed) : undefined;
  }

  /** Has the member of this name failed, and was it at this address? */
  failedAt(name: string, { address, port }: Endpoint): boolean {
    const member = this.get(name);
    return member?.status === 'failed' && member.address === address && member.port === port;
  }

  // --- push-pull

  statusTimes(): Map<string, LamportTime> {
    return new Map(Array.from(this.entries, ([name, entry]) => [name, entry.statusTime]));
  }

  leftMembers(): string[] {
    return this.members()
      .filter((member) => member.status === 'left')
      .map((member) => member.name);
  }
}
