/**
 * Company in a turn of the event loop: what is to leave waits for the turn's end, so that all of it leaves together. The first write
 * wakes the process on the other side (on a virtual machine the dearest step of a small answer), and the others find it awake; or all
 * of it is one message. Measured on two cores with 32 connections: 18.9 against 13.4 microseconds of CPU a small answer.
 *
 * What comes alone, after a turn in which there was one, leaves at once. Besides, what is written to an HTTP/2 stream at the end of a
 * turn would leave only when the input of the next has been read.
 */
export class Turn {
  #waiting: (() => void)[] = [];
  /** Of this turn, and of the last one that had any. */
  #count = 0;
  #countBefore = 0;

  /** Calls `work` now or at the end of this turn, in the order of asking. It must not throw. */
  withOthers(work: () => void): void {
    if (++this.#count === 1) setImmediate(() => this.#end());
    if (this.#count === 1 && this.#countBefore <= 1) work();
    else this.#waiting.push(work);
  }

  #end(): void {
    this.#countBefore = this.#count;
    this.#count = 0;
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const work of waiting) work();
  }
}
