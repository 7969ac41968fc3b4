/**
 * Where each entry of the log is: 12 bytes an entry, in chunks, so that a long log costs the garbage collector nothing and its
 * beginning can be forgotten. Indexes are contiguous.
 */
const chunkEntries = 4096;
const fields = 3;

export interface Place {
  readonly segment: number;
  /** In the segment's file, bytes. */
  readonly offset: number;
  readonly length: number;
}

export class EntryPlaces {
  /** `#chunks[0]` holds the indexes from `#firstChunk * chunkEntries`. */
  #chunks: Uint32Array[] = [];
  #firstChunk = 0;
  #first = 0;
  #last = -1;

  get bounds(): { readonly first: number; readonly last: number } | undefined {
    return this.#last < this.#first ? undefined : { first: this.#first, last: this.#last };
  }

  get(index: number): Place | undefined {
    if (index < this.#first || index > this.#last) return undefined;
    const chunk = this.#chunks[Math.floor(index / chunkEntries) - this.#firstChunk]!;
    const at = (index % chunkEntries) * fields;
    return { segment: chunk[at]!, offset: chunk[at + 1]!, length: chunk[at + 2]! };
  }

  /**
   * The entry after the last, or the first of a new beginning: after an installed checkpoint the log goes on further up, and what
   * was before no longer counts. Throws if one is there already.
   */
  add(index: number, place: Place): void {
    if (this.#last < this.#first || index > this.#last + 1) this.#startAt(index);
    if (index !== this.#last + 1) throw new Error(`entry ${index} does not follow ${this.#first}..${this.#last}`);
    this.#last = index;
    const number = Math.floor(index / chunkEntries) - this.#firstChunk;
    if (number === this.#chunks.length) this.#chunks.push(new Uint32Array(chunkEntries * fields));
    const chunk = this.#chunks[number]!;
    const at = (index % chunkEntries) * fields;
    chunk[at] = place.segment;
    chunk[at + 1] = place.offset;
    chunk[at + 2] = place.length;
  }

  /** Removes from one end; entries that are not there are removed already. Throws if it would leave a gap. */
  remove(first: number, last: number): void {
    if (last < this.#first || first > this.#last) return;
    if (last >= this.#last) this.#last = Math.max(first, this.#first) - 1;
    else if (first <= this.#first) this.#first = last + 1;
    else throw new Error(`removing ${first}..${last} would part ${this.#first}..${this.#last}`);
    if (this.#last < this.#first) {
      this.#chunks = [];
      return;
    }
    const firstChunk = Math.floor(this.#first / chunkEntries);
    const lastChunk = Math.floor(this.#last / chunkEntries);
    this.#chunks = this.#chunks.slice(firstChunk - this.#firstChunk, lastChunk - this.#firstChunk + 1);
    this.#firstChunk = firstChunk;
  }

  #startAt(index: number): void {
    this.#chunks = [];
    this.#firstChunk = Math.floor(index / chunkEntries);
    this.#first = index;
    this.#last = index - 1;
  }
}
