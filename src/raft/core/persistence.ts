/**
 * The order between disk and network. Changes of term, vote and log gather in a *draft*; each drain of the effects closes it
 * as a numbered persist. A message that makes a promise names the persist it waits for and leaves when the driver reports that
 * number as durable. Messages that promise nothing leave at once: a leader's append runs beside its own fsync.
 *
 * The trap this file exists for (fault R07): entries 5-6 are being written, a new leader truncates them and sends others for
 * 5-6, then the first write finishes. Its report must not count for the new entries at the same indexes. So each open
 * persist remembers up to which index it reaches, and a truncation cuts those memories.
 */
import { assert } from '../../std/assert.ts';
import type { Message } from './messages.ts';
import type { Rules } from './rules.ts';
import type { Entry, HardState, LogIndex } from './types.ts';

/** One write for the log: in this order, all or nothing. */
export interface Persist {
  /** 1, 2, 3…; reported back through `persisted`. */
  readonly number: number;
  readonly hardState: HardState | undefined;
  /** Everything from here on goes first. */
  readonly truncateFrom: LogIndex | undefined;
  readonly entries: readonly Entry[];
}

interface OpenPersist {
  readonly number: number;
  /** The log up to here is durable once this persist is. */
  reaches: LogIndex;
}

export class Persistence {
  readonly #rules: Rules;
  #hardState: HardState | undefined;
  #truncateFrom: LogIndex | undefined;
  #entries: Entry[] = [];
  #nextNumber = 1;
  #doneNumber = 0;
  #open: OpenPersist[] = [];
  #waiting: { readonly number: number; readonly message: Message }[] = [];
  #sendable: Message[] = [];
  /** The log up to here is on this server's disk. */
  #durableIndex: LogIndex;

  constructor(rules: Rules, durableIndex: LogIndex) {
    this.#rules = rules;
    this.#durableIndex = durableIndex;
  }

  get durableIndex(): LogIndex {
    return this.#durableIndex;
  }

  /** The persist that covers every change made so far. */
  get newest(): number {
    return this.#dirty() ? this.#nextNumber : this.#nextNumber - 1;
  }

  isDone(number: number): boolean {
    return number <= this.#doneNumber;
  }

  hardState(state: HardState): void {
    this.#hardState = state;
  }

  append(entry: Entry): void {
    this.#entries.push(entry);
  }

  truncate(from: LogIndex): void {
    this.#entries = this.#entries.filter((entry) => entry.index < from);
    this.#truncateFrom = Math.min(this.#truncateFrom ?? from, from);
    for (const open of this.#open) open.reaches = this.#rules.persistReachesAfterTruncation(open.reaches, from);
    this.#durableIndex = Math.min(this.#durableIndex, from - 1);
  }

  /** The log was replaced by a checkpoint at `index`, durably. */
  reset(index: LogIndex): void {
    this.#entries = [];
    this.#truncateFrom = undefined;
    this.#open = this.#open.map((open) => ({ ...open, reaches: 0 }));
    this.#durableIndex = index;
  }

  send(message: Message): void {
    this.#sendable.push(message);
  }

  /** Sends once persist `number` is durable. */
  sendAfter(number: number, message: Message): void {
    if (this.isDone(number)) this.#sendable.push(message);
    else this.#waiting.push({ number, message });
  }

  /** Drops promises that were not made yet: they belong to a role or a term that is over. */
  forgetWaiting(): void {
    this.#waiting = [];
  }

  /** Closes the draft. */
  takePersist(lastIndex: LogIndex): Persist | undefined {
    if (!this.#dirty()) return undefined;
    const persist: Persist = {
      number: this.#nextNumber++,
      hardState: this.#hardState,
      truncateFrom: this.#truncateFrom,
      entries: this.#entries,
    };
    this.#open.push({ number: persist.number, reaches: lastIndex });
    this.#hardState = undefined;
    this.#truncateFrom = undefined;
    this.#entries = [];
    return persist;
  }

  takeSendable(): Message[] {
    const messages = this.#sendable;
    if (messages.length > 0) this.#sendable = [];
    return messages;
  }

  /** Persists up to `number` are durable (they finish in order). */
  done(number: number): void {
    assert(number < this.#nextNumber, 'a persist was reported that was never issued');
    this.#doneNumber = Math.max(this.#doneNumber, number);
    while (this.#open.length > 0 && this.#open[0]!.number <= number) {
      this.#durableIndex = Math.max(this.#durableIndex, this.#open.shift()!.reaches);
    }
    if (this.#waiting.length === 0) return;
    const still = this.#waiting.filter((wait) => wait.number > number);
    for (const wait of this.#waiting) if (wait.number <= number) this.#sendable.push(wait.message);
    this.#waiting = still;
  }

  #dirty(): boolean {
    return this.#hardState !== undefined || this.#truncateFrom !== undefined || this.#entries.length > 0;
  }
}
