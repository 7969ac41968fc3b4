/**
 * ReadIndex (dissertation §6.4): a read is linearizable at the commit index of its arrival, once a majority has confirmed, in a
 * round of heartbeats that *started after* its arrival, that the leader still leads.
 *
 * Reads that arrive together share a round; while a round is under way the next ones gather for the following. Rounds have
 * numbers that are never used twice in a term: an answer to round 7 confirms rounds up to 7 and no later one, whoever asks.
 *
 * A round asks as few followers as make a majority; if they keep it waiting, all others as well (`isLate`).
 */
import type { LogIndex } from './types.ts';

export interface ReadyRead {
  readonly id: number;
  readonly index: LogIndex;
}

export class ReadQueue {
  /** Arrived before an entry of this term was committed: the commit index is not trustworthy yet. */
  #early: number[] = [];
  #gathering: ReadyRead[] = [];
  #asked: ReadyRead[] = [];
  #round = 0;
  /** The tick in which the round under way began, until others than the first were asked. */
  #startedTick: number | undefined;

  /** The newest round that heartbeats carry. */
  get round(): number {
    return this.#round;
  }

  get size(): number {
    return this.#early.length + this.#gathering.length + this.#asked.length;
  }

  addEarly(id: number): void {
    this.#early.push(id);
  }

  add(id: number, index: LogIndex): void {
    this.#gathering.push({ id, index });
  }

  /** An entry of the term is committed: early reads get their index now. */
  termCommitted(index: LogIndex): void {
    for (const id of this.#early) this.#gathering.push({ id, index });
    this.#early = [];
  }

  /** Starts a round if reads wait and none is under way. True: heartbeats must go out now. */
  startRound(tick: number): boolean {
    if (this.#gathering.length === 0 || this.#asked.length > 0) return false;
    this.#round++;
    this.#asked = this.#gathering;
    this.#gathering = [];
    this.#startedTick = tick;
    return true;
  }

  /** True once for a round that was not confirmed within a whole tick: those who were asked may be dead, or slow. */
  isLate(tick: number): boolean {
    if (this.#asked.length === 0 || this.#startedTick === undefined || tick < this.#startedTick + 2) return false;
    this.#startedTick = undefined;
    return true;
  }

  /** A majority has confirmed round `confirmed`. Returns the reads it covers. */
  confirm(confirmed: number): readonly ReadyRead[] {
    if (this.#asked.length === 0 || confirmed < this.#round) return [];
    const ready = this.#asked;
    this.#asked = [];
    return ready;
  }

  /** Everything that waits, because leadership ended. */
  takeAll(): number[] {
    const ids = [...this.#early, ...this.#gathering.map((r) => r.id), ...this.#asked.map((r) => r.id)];
    this.#early = [];
    this.#gathering = [];
    this.#asked = [];
    return ids;
  }
}
