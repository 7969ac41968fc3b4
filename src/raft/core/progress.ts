/**
 * What a leader knows about one other server, and how much it may send.
 *
 *   probe       we do not know where the logs agree: one append at a time, the next after an answer
 *   replicate   they agree up to matchIndex: appends are pipelined, nextIndex runs ahead, the window bounds them
 *   checkpoint  it needs entries that are no longer in the log: no appends until it has a checkpoint
 */
import { assert } from '../../std/assert.ts';
import type { LogId, LogIndex } from './types.ts';

export interface Window {
  readonly messagesMax: number;
  readonly bytesMax: number;
  readonly entriesMax: number;
}

export class Progress {
  /** Highest index known to be durable there and equal to ours; matchIndex < nextIndex. */
  matchIndex: LogIndex = 0;
  /** Whose log all this is known of. */
  logId: LogId = 0;
  /** The server answers with another log than the voter that it is to be: it has lost its own. */
  strangeLogId: LogId | undefined;
  /** The first entry to send next. */
  nextIndex: LogIndex;
  state: 'probe' | 'replicate' | 'checkpoint' = 'probe';
  /** In probe: an append is on its way, wait for its answer (or for a heartbeat's, which tells that it got lost). */
  probing = false;
  /** Entries for it are being read from the disk. */
  loading = false;
  /** Tick of the last answer in this term. */
  contactTick: number;
  /** Our clock when the newest message that it has answered was sent; -Infinity before the first. */
  contactMs = Number.NEGATIVE_INFINITY;
  /** Newest read round it has confirmed. */
  readRound = 0;
  /** Newest commit index we have told it. */
  toldCommitIndex: LogIndex = 0;
  /** Tick at which a commit that no append has told it of is told by a message of its own. */
  noticeTick: number | undefined;
  /** Our clock when it last refused an append: refusals of earlier ones are old news. */
  probedSinceMs = Number.NEGATIVE_INFINITY;
  /** Our clock when the newest append to it left. */
  appendSentMs = Number.NEGATIVE_INFINITY;
  #inflight: { readonly lastIndex: LogIndex; readonly bytes: number }[] = [];
  #inflightBytes = 0;
  readonly #window: Window;

  constructor(nextIndex: LogIndex, tick: number, window: Window) {
    this.nextIndex = nextIndex;
    this.contactTick = tick;
    this.#window = window;
  }

  get inflightMessages(): number {
    return this.#inflight.length;
  }

  get inflightBytes(): number {
    return this.#inflightBytes;
  }

  /** May an append with entries leave now? */
  get mayAppend(): boolean {
    if (this.loading || this.state === 'checkpoint') return false;
    if (this.state === 'probe') return !this.probing;
    const { messagesMax, bytesMax, entriesMax } = this.#window;
    const inflightEntries = this.nextIndex - 1 - this.matchIndex;
    return this.#inflight.length < messagesMax && this.#inflightBytes < bytesMax && inflightEntries < entriesMax;
  }

  /** An append up to `lastIndex` has left. */
  sent(lastIndex: LogIndex, bytes: number): void {
    if (this.state === 'probe') {
      this.probing = true;
      return;
    }
    if (lastIndex < this.nextIndex) return;
    this.#inflight.push({ lastIndex, bytes });
    this.#inflightBytes += bytes;
    this.nextIndex = lastIndex + 1;
  }

  /** It has everything up to `index`. Returns whether that is news. */
  acknowledged(index: LogIndex): boolean {
    let freed = 0;
    while (freed < this.#inflight.length && this.#inflight[freed]!.lastIndex <= index) {
      this.#inflightBytes -= this.#inflight[freed]!.bytes;
      freed++;
    }
    if (freed > 0) this.#inflight.splice(0, freed);
    const news = index > this.matchIndex;
    if (news) this.matchIndex = index;
    this.nextIndex = Math.max(this.nextIndex, this.matchIndex + 1);
    if (this.state === 'probe') this.becomeReplicate();
    assert(this.matchIndex < this.nextIndex, 'nextIndex follows matchIndex');
    return news;
  }

  /** It refused an append after `rejectedIndex`; `agreeAt` is the highest index where the logs may agree. Stale news is ignored. */
  rejected(rejectedIndex: LogIndex, agreeAt: LogIndex): boolean {
    const stale = this.state === 'probe' ? rejectedIndex !== this.nextIndex - 1 : rejectedIndex <= this.matchIndex;
    if (stale || this.state === 'checkpoint') return false;
    const next = this.state === 'probe' ? Math.min(rejectedIndex, agreeAt + 1) : this.matchIndex + 1;
    this.becomeProbe(Math.max(next, this.matchIndex + 1));
    return true;
  }

  becomeProbe(nextIndex: LogIndex): void {
    this.state = 'probe';
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1);
    this.#clearWindow();
  }

  becomeReplicate(): void {
    this.state = 'replicate';
    this.nextIndex = this.matchIndex + 1;
    this.#clearWindow();
  }

  becomeCheckpoint(): void {
    this.state = 'checkpoint';
    this.#clearWindow();
  }

  /** Another log answers for this server: nothing of what was known holds for it. */
  becomeAnother(logId: LogId): void {
    this.logId = logId;
    this.matchIndex = 0;
    this.readRound = 0;
    this.contactMs = Number.NEGATIVE_INFINITY;
    this.toldCommitIndex = 0;
    if (this.state !== 'checkpoint') this.becomeProbe(this.nextIndex);
  }

  #clearWindow(): void {
    this.probing = false;
    this.loading = false;
    this.#inflight = [];
    this.#inflightBytes = 0;
  }
}
