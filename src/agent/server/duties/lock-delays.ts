/**
 * Lock-delays: a key whose session was ended by force may not be locked again for a while, so that the one who lost it has
 * time to notice. The leader's knowledge alone, in memory: it is gone after a failover, as in the reference.
 */
import type { AppliedCommand } from '../../../fsm/index.ts';
import { millisecond, minute } from '../../../std/duration.ts';
import type { KvEntry, Session } from '../../../structs/index.ts';

const delayMaxMs = minute / millisecond;

export class LockDelays {
  readonly #untilMs = new Map<string, number>();

  /** Until when the key may not be locked (ms on the wall clock); 0 if it may be. */
  until(key: string, nowMs: number): number {
    const untilMs = this.#untilMs.get(key) ?? 0;
    if (untilMs !== 0 && untilMs <= nowMs) this.#untilMs.delete(key);
    return untilMs > nowMs ? untilMs : 0;
  }

  /** Takes note of sessions that ended, and of the keys that they held. */
  applied({ changes }: AppliedCommand, nowMs: number): void {
    let ended: Map<string, Session> | undefined;
    for (const { table, before, after } of changes) {
      if (table !== 'sessions' || after !== undefined) continue;
      ended ??= new Map();
      ended.set((before as Session).ID, before as Session);
    }
    if (ended === undefined) return;
    for (const { table, before } of changes) {
      const session = table === 'kv' ? ended.get((before as KvEntry | undefined)?.Session ?? '') : undefined;
      if (session === undefined || session.LockDelay <= 0) continue;
      const delayMs = Math.min(session.LockDelay / millisecond, delayMaxMs);
      this.#untilMs.set((before as KvEntry).Key, nowMs + delayMs);
    }
    this.#forgetOld(nowMs);
  }

  clear(): void {
    this.#untilMs.clear();
  }

  #forgetOld(nowMs: number): void {
    for (const [key, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(key);
  }
}
