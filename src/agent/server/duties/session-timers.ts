/**
 * The leader's timers of sessions with a TTL. A session that is not renewed lives for twice its TTL at least; a new leader
 * starts all timers anew, so a failover extends. Its end is a command like any other; one that fails is tried again.
 */
import type { AppliedCommand, ReadTx } from '../../../fsm/index.ts';
import type { Clock } from '../../../std/clock.ts';
import { millisecond, parseDuration } from '../../../std/duration.ts';
import type { Session } from '../../../structs/index.ts';

const ttlFactor = 2;
const attemptsMax = 6;
const firstPauseMs = 10_000;

export interface SessionTimersOptions {
  readonly clock: Clock;
  /** Ends the session through the log. */
  destroy(id: string): Promise<unknown>;
  warn(message: string, fields: Record<string, unknown>): void;
}

export class SessionTimers {
  readonly #options: SessionTimersOptions;
  readonly #cancels = new Map<string, () => void>();

  constructor(options: SessionTimersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#cancels.size;
  }

  /** Starts a timer for every session that has a TTL. */
  start(tx: ReadTx): void {
    this.stop();
    for (const session of tx.table('sessions').range([])) this.renew(session);
  }

  stop(): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  applied({ changes }: AppliedCommand): void {
    for (const { table, before, after } of changes) {
      if (table !== 'sessions') continue;
      if (after === undefined) this.#cancel((before as Session).ID);
      else this.renew(after as Session);
    }
  }

  /** Starts the session's time again. */
  renew(session: Session): void {
    this.#cancel(session.ID);
    const ttl = parseDuration(session.TTL);
    if (session.TTL === '' || !ttl.ok || ttl.value <= 0) return;
    this.#arm(session.ID, (ttlFactor * ttl.value) / millisecond, 1);
  }

  #arm(id: string, delayMs: number, attempt: number): void {
    const cancel = this.#options.clock.after(delayMs, () => void this.#expire(id, attempt));
    this.#cancels.set(id, cancel);
  }

  async #expire(id: string, attempt: number): Promise<void> {
    const armed = this.#cancels.get(id);
    try {
      await this.#options.destroy(id);
    } catch (error) {
      // Renewed or stopped meanwhile: the timer is another, or none.
      if (this.#cancels.get(id) !== armed) return;
      this.#options.warn('a session could not be ended', { id, attempt, error: String(error) });
      if (attempt < attemptsMax) this.#arm(id, firstPauseMs * 2 ** (attempt - 1), attempt + 1);
    }
  }

  #cancel(id: string): void {
    this.#cancels.get(id)?.();
    this.#cancels.delete(id);
  }
}
