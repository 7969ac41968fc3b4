/**
 * What the core knows of its log without reading the disk: where each term begins, and the newest entries themselves.
 *
 * The log's shape is `prefix` (the entry before the first one, known only by index and term), then entries up to `last`. Terms
 * never fall along it, so a handful of boundaries answers `termAt` for millions of entries. The *tail* holds entries
 * that are not on disk yet (they cannot be read back) or not applied yet and, within a byte budget, those that followers will be
 * sent next. What nobody is going to ask for leaves at once: an entry that outlives a few collections of garbage costs more there
 * than reading it back from the disk would, which only a server that falls behind needs.
 */
import { assert } from '../../std/assert.ts';
import { type Entry, entryBytes, type LogIndex, type LogPosition, type Term } from './types.ts';

/** What an entry takes in memory beside its payload: its own object, a view on the payload, the array's slot. Measured. */
const tailEntryBytes = 400;
/** Evicted entries that may still stand before the tail until its array is made anew. */
const evictedMax = 64;

const inMemory = (entry: Entry): number => entryBytes(entry) + tailEntryBytes;

/** `term` begins at `index` and goes on to the next boundary or the end of the log. */
export interface TermBoundary {
  readonly index: LogIndex;
  readonly term: Term;
}

export class LogView {
  #prefix: LogPosition;
  #last: LogIndex;
  #boundaries: TermBoundary[];
  /** Entries [#tailFirst, #last]; slots before #tailStart of the array are evicted. */
  #tail: Entry[] = [];
  #tailStart = 0;
  #tailBytes = 0;
  readonly #tailBytesMax: number;

  constructor(prefix: LogPosition, boundaries: readonly TermBoundary[], last: LogIndex, tailBytesMax: number) {
    assert(last >= prefix.index, 'a log ends at or after its prefix');
    this.#prefix = prefix;
    this.#last = last;
    this.#boundaries = [...boundaries];
    this.#tailBytesMax = tailBytesMax;
  }

  get prefix(): LogPosition {
    return this.#prefix;
  }

  get lastIndex(): LogIndex {
    return this.#last;
  }

  get lastTerm(): Term {
    return this.#boundaries.at(-1)?.term ?? this.#prefix.term;
  }

  get last(): LogPosition {
    return { index: this.#last, term: this.lastTerm };
  }

  /** The term of an entry, of the prefix, or undefined outside of both. */
  termAt(index: LogIndex): Term | undefined {
    if (index === this.#prefix.index) return this.#prefix.term;
    if (index < this.#prefix.index || index > this.#last) return undefined;
    for (let i = this.#boundaries.length - 1; i >= 0; i--) {
      const boundary = this.#boundaries[i]!;
      if (boundary.index <= index) return boundary.term;
    }
    return undefined;
  }

  append(entry: Entry): void {
    assert(entry.index === this.#last + 1, `append leaves a gap: ${entry.index} after ${this.#last}`);
    assert(entry.term >= this.lastTerm, 'terms never fall along a log');
    if (entry.term !== this.lastTerm || this.#boundaries.length === 0) {
      this.#boundaries.push({ index: entry.index, term: entry.term });
    }
    this.#last = entry.index;
    this.#tail.push(entry);
    this.#tailBytes += inMemory(entry);
  }

  /** Removes everything from `from` on. */
  truncate(from: LogIndex): void {
    assert(from > this.#prefix.index, 'the prefix cannot be truncated');
    assert(from <= this.#last, 'nothing to truncate');
    const tailFirst = this.#tailFirst();
    const keep = Math.max(0, from - tailFirst);
    for (const entry of this.#tail.splice(this.#tailStart + keep)) this.#tailBytes -= inMemory(entry);
    while (this.#boundaries.length > 0 && this.#boundaries.at(-1)!.index >= from) this.#boundaries.pop();
    this.#last = from - 1;
  }

  /** Forgets everything up to and including `index`, which must be on disk in a checkpoint. */
  compact(index: LogIndex): void {
    if (index <= this.#prefix.index) return;
    assert(index <= this.#last, 'compaction beyond the log');
    const term = this.termAt(index)!;
    this.#boundaries = this.#boundaries.filter((_, i) => {
      const next = this.#boundaries[i + 1]?.index ?? this.#last + 1;
      return next > index + 1;
    });
    const first = this.#boundaries[0];
    if (first !== undefined && first.index <= index) this.#boundaries[0] = { index: index + 1, term: first.term };
    this.#prefix = { index, term };
    this.evict(index, index + 1);
  }

  /** The log is now empty and starts after `prefix` (an installed checkpoint). */
  reset(prefix: LogPosition): void {
    this.#prefix = prefix;
    this.#last = prefix.index;
    this.#boundaries = [];
    this.#tail = [];
    this.#tailStart = 0;
    this.#tailBytes = 0;
  }

  /**
   * Drops entries up to `upTo` (durable, applied) from memory: those below `wantedFrom`, which nobody is going to ask for, and of
   * the others what exceeds the budget.
   */
  evict(upTo: LogIndex, wantedFrom: LogIndex): void {
    let first = this.#tailFirst();
    while (first <= upTo && first <= this.#last) {
      if (first >= wantedFrom && this.#tailBytes <= this.#tailBytesMax) break;
      this.#tailBytes -= inMemory(this.#tail[this.#tailStart]!);
      this.#tailStart++;
      first++;
    }
    if (this.#tailStart === this.#tail.length) this.#tail = [];
    else if (this.#tailStart > evictedMax && this.#tailStart * 2 > this.#tail.length) {
      this.#tail = this.#tail.slice(this.#tailStart);
    } else return;
    this.#tailStart = 0;
  }

  /**
   * Entries from `from` on, at least one, at most `entriesMax` and `bytesMax` beyond the first; undefined if the first is
   * not in memory. Empty at the end of the log.
   */
  slice(from: LogIndex, entriesMax: number, bytesMax: number): Entry[] | undefined {
    assert(from > this.#prefix.index, 'slice below the log');
    if (from > this.#last) return [];
    const first = this.#tailFirst();
    if (from < first) return undefined;
    const out: Entry[] = [];
    let bytes = 0;
    for (let i = this.#tailStart + from - first; i < this.#tail.length && out.length < entriesMax; i++) {
      const entry = this.#tail[i]!;
      bytes += entryBytes(entry);
      if (out.length > 0 && bytes > bytesMax) break;
      out.push(entry);
    }
    return out;
  }

  /**
   * The highest index at or below `index` whose term is at most `term` (or the prefix): the next place where two logs can
   * agree, so that a long divergence costs a round trip a term, not one an entry (Raft §5.3, end).
   */
  lastIndexWithTermAtMost(index: LogIndex, term: Term): LogIndex {
    let at = Math.min(index, this.#last);
    for (let i = this.#boundaries.length - 1; i >= 0 && at > this.#prefix.index; i--) {
      const boundary = this.#boundaries[i]!;
      if (boundary.index > at) continue;
      if (boundary.term <= term) return at;
      at = boundary.index - 1;
    }
    return at;
  }

  #tailFirst(): LogIndex {
    return this.#last - (this.#tail.length - this.#tailStart) + 1;
  }
}
