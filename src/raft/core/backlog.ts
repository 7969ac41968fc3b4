/**
 * How many bytes of its own proposals a leader has appended and not yet committed. It bounds the queue towards the disk and the
 * followers. Counted by entry, so that the counter returns to zero exactly (a counter that leaks refuses proposals for ever).
 */
import type { LogIndex } from './types.ts';

export class Backlog {
  #entries: { readonly index: LogIndex; readonly bytes: number }[] = [];
  #start = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(index: LogIndex, bytes: number): void {
    this.#entries.push({ index, bytes });
    this.#bytes += bytes;
  }

  committed(index: LogIndex): void {
    while (this.#start < this.#entries.length && this.#entries[this.#start]!.index <= index) {
      this.#bytes -= this.#entries[this.#start]!.bytes;
      this.#start++;
    }
    if (this.#start > 4096 || this.#start === this.#entries.length) {
      this.#entries = this.#entries.slice(this.#start);
      this.#start = 0;
    }
  }
}
