/**
 * Where the leader is, as this server knows it, and waiting for one. Requests that need a leader are held while there is
 * none: an election takes a fraction of a second, and a client should not see it.
 */

import { BackendError } from '../../api/backend.ts';
import type { Raft } from '../../raft/index.ts';
import type { Clock } from '../../std/clock.ts';
import type { Random } from '../../std/random.ts';

export type Place =
  | { readonly kind: 'here' }
  | { readonly kind: 'there'; readonly id: string }
  | { readonly kind: 'nowhere' };

/** The longest pause before a held request looks again without being told of a change, as a share of the hold time. */
const looksPerHold = 16;
/**
 * The first such pause, ms; each is up to twice as long as the one before. Short: a follower hears of a new leader some milliseconds
 * before that one has applied its predecessors' log and takes requests.
 */
const firstPauseMs = 4;

export class Leadership {
  readonly #raft: Raft;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #holdMs: number;
  #leading = false;
  #leaderId: string | undefined;
  #waiting = new Set<() => void>();
  #stopped = false;

  constructor(raft: Raft, edges: { readonly clock: Clock; readonly random: Random }, holdMs: number) {
    this.#raft = raft;
    this.#clock = edges.clock;
    this.#random = edges.random;
    this.#holdMs = holdMs;
    this.#leaderId = raft.status().leaderId;
    raft.onLeadership((isLeader) => {
      this.#leading = isLeader;
      this.#wake();
    });
    raft.onLeaderChange((leaderId) => {
      this.#leaderId = leaderId;
      this.#wake();
    });
  }

  /** Whether this server leads and has applied the whole log of its predecessors. */
  get leading(): boolean {
    return this.#leading;
  }

  get known(): boolean {
    return this.#leading || this.#leaderId !== undefined;
  }

  get leaderId(): string | undefined {
    return this.#leaderId;
  }

  /** Milliseconds since this server last heard of a leader; 0 on the leader, Infinity if it never did. */
  lastContactMs(): number {
    return this.#leading ? 0 : this.#raft.lastContactMs();
  }

  place(): Place {
    if (this.#leading) return { kind: 'here' };
    // A leader that has not yet applied its predecessors' log is not ready to be asked.
    if (this.#leaderId === undefined || this.#leaderId === this.#raft.id) return { kind: 'nowhere' };
    return { kind: 'there', id: this.#leaderId };
  }

  /**
   * Runs `attempt` until it gives an answer: it returns undefined when nothing could be asked, or nothing came of it for
   * certain. Throws `noLeader` when the hold time is over.
   */
  async hold<T>(attempt: (place: Place) => Promise<{ readonly answer: T } | undefined>): Promise<T> {
    const deadlineMs = this.#clock.monotonicMs() + this.#holdMs;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, this.#holdMs / looksPerHold)) {
      if (this.#stopped) throw new BackendError('stopped', 'this server is shutting down');
      const outcome = await attempt(this.place());
      if (outcome !== undefined) return outcome.answer;
      const leftMs = deadlineMs - this.#clock.monotonicMs();
      if (leftMs <= 0) throw new BackendError('noLeader', 'No cluster leader');
      await this.#pause(Math.min(leftMs, 1 + this.#random.next() * pauseMs));
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#leading = false;
    this.#wake();
  }

  /** Until the time is over, or something about the leader changed. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#waiting.delete(done);
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}
