/**
 * The agent's cache (`?cached`): what many readers on a host ask for is fetched once and then kept current by one blocking
 * read in the background. A reader gets what is there, with its age: 0 while the background read is healthy, else the
 * seconds since it last heard from a server.
 *
 * An entry that nobody reads for a while is dropped, and so is the least recently read one when there are too many.
 */
import type { Awaitable } from '../../std/awaitable.ts';
import type { Answer } from '../backend.ts';
import { pause } from './pause.ts';

export interface AgentCacheOptions {
  readonly entriesMax: number;
  /** An entry ends when it was not read for so long. */
  readonly idleMs: number;
  /** First pause after a failed background read; doubled each time. */
  readonly retryMsMin: number;
  readonly retryMsMax: number;
}

const agentCacheDefaults: AgentCacheOptions = {
  entriesMax: 1000,
  idleMs: 20 * 60_000,
  retryMsMin: 1000,
  retryMsMax: 60_000,
};

export interface CacheAsk {
  /** Wait until the value's index is greater; 0: take what is there. */
  readonly minIndex: number;
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
}

export interface Cached<Value> {
  readonly answer: Answer<Value>;
  readonly hit: boolean;
  readonly ageSeconds: number;
}

/**
 * Reads the value: at once for `minIndex` 0, else when it is newer. `contact` is to be told whether somebody keeps a read that
 * waits current, where that can be known (see ReadOptions).
 */
export type Fetch<Value> = (
  minIndex: number,
  signal: AbortSignal,
  contact: (stands: boolean) => void,
) => Awaitable<Answer<Value>>;

export class AgentCache {
  readonly #options: AgentCacheOptions;
  readonly #entries = new Map<string, Entry<unknown>>();
  /** Few and fixed keys: nothing to bound. */
  readonly #fetched = new Map<string, { value: unknown; atMs: number }>();
  #closed = false;

  constructor(options: AgentCacheOptions = agentCacheDefaults) {
    this.#options = options;
  }

  /** `key` says all that the value depends on, the token included. Rejects if there is no value and none can be fetched. */
  async get<Value>(key: string, fetch: Fetch<Value>, ask: CacheAsk): Promise<Cached<Value>> {
    const known = this.#entries.get(key) as Entry<Value> | undefined;
    const entry = known ?? this.#open(key, fetch);
    entry.lastReadMs = performance.now();
    this.#entries.delete(key);
    this.#entries.set(key, entry as Entry<unknown>);
    const hit = entry.value !== undefined;
    await entry.first;
    await entry.newerThan(ask);
    return { answer: entry.answer(), hit, ageSeconds: entry.ageSeconds() };
  }

  /**
   * For what cannot be watched: fetched again when it is older than `maxAgeMs`, or than the idle time. When that fails, what was
   * known is told if it is not longer overdue than `staleIfErrorMs`.
   */
  async once<Value>(
    key: string,
    fetch: () => Promise<Value>,
    {
      maxAgeMs = this.#options.idleMs,
      staleIfErrorMs = 0,
    }: { readonly maxAgeMs?: number | undefined; readonly staleIfErrorMs?: number | undefined } = {},
  ): Promise<{ readonly value: Value; readonly hit: boolean; readonly ageSeconds: number }> {
    const known = this.#fetched.get(key) as { value: Value; atMs: number } | undefined;
    const ageMs = known === undefined ? Number.POSITIVE_INFINITY : performance.now() - known.atMs;
    const kept = () => ({ value: known!.value, hit: true, ageSeconds: Math.floor(ageMs / 1000) });
    const freshMs = Math.min(maxAgeMs, this.#options.idleMs);
    if (ageMs <= freshMs) return kept();
    try {
      const value = await fetch();
      this.#fetched.set(key, { value, atMs: performance.now() });
      return { value, hit: false, ageSeconds: 0 };
    } catch (error) {
      if (ageMs - Math.max(0, freshMs) < staleIfErrorMs) return kept();
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) entry.stop();
    this.#entries.clear();
  }

  #open<Value>(key: string, fetch: Fetch<Value>): Entry<Value> {
    if (this.#entries.size >= this.#options.entriesMax) {
      const [oldest] = this.#entries.keys();
      this.#drop(oldest!);
    }
    const entry = new Entry(fetch, this.#options, () => this.#drop(key, entry as Entry<unknown>));
    this.#entries.set(key, entry as Entry<unknown>);
    if (this.#closed) entry.stop();
    return entry;
  }

  #drop(key: string, entry = this.#entries.get(key)): void {
    if (entry === undefined || this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    entry.stop();
  }
}

class Entry<Value> {
  value: Answer<Value> | undefined;
  lastReadMs = performance.now();
  /** Settles when the first value is there, or could not be fetched. */
  readonly first: Promise<void>;
  readonly #fetch: Fetch<Value>;
  readonly #options: AgentCacheOptions;
  readonly #stopped = new AbortController();
  readonly #changed = new EventTarget();
  /** When the background read began to fail, or to wait where nobody keeps it current; undefined while it is healthy. */
  #lostContactMs: number | undefined;

  constructor(fetch: Fetch<Value>, options: AgentCacheOptions, ended: () => void) {
    this.#fetch = fetch;
    this.#options = options;
    this.first = this.#read(0);
    this.first.then(
      () => this.#refresh().finally(ended),
      () => ended(),
    );
  }

  stop(): void {
    this.#stopped.abort();
  }

  ageSeconds(): number {
    return Math.floor(this.#ageMs() / 1000);
  }

  /** The value; while contact is lost it says so, as a read that waited would. */
  answer(): Answer<Value> {
    const value = this.value!;
    if (this.#lostContactMs === undefined) return value;
    return { ...value, knownLeader: false, lastContactMs: Math.max(value.lastContactMs, this.#ageMs()) };
  }

  #ageMs(): number {
    return this.#lostContactMs === undefined ? 0 : performance.now() - this.#lostContactMs;
  }

  readonly #contact = (stands: boolean): void => {
    this.#lostContactMs = stands ? undefined : (this.#lostContactMs ?? performance.now());
  };

  /** Resolves when the value is newer than asked for, or the wait is over. */
  newerThan({ minIndex, waitMs, signal }: CacheAsk): Promise<void> {
    if (minIndex === 0 || this.value!.index > minIndex) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#changed.removeEventListener('change', look);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const look = (): void => {
        if (this.value!.index > minIndex || this.#stopped.signal.aborted) done();
      };
      const timer = setTimeout(done, waitMs);
      this.#changed.addEventListener('change', look);
      signal?.addEventListener('abort', done);
    });
  }

  async #read(minIndex: number): Promise<void> {
    this.value = await this.#fetch(minIndex, this.#stopped.signal, this.#contact);
    // A wait may also end with the last known state.
    if (this.value.knownLeader) this.#lostContactMs = undefined;
    this.#changed.dispatchEvent(new Event('change'));
  }

  /** Keeps the value current until nobody reads it any more. */
  async #refresh(): Promise<void> {
    let pauseMs = this.#options.retryMsMin;
    while (!this.#stopped.signal.aborted && performance.now() - this.lastReadMs < this.#options.idleMs) {
      try {
        // An index of 0 would not block: the value would be fetched over and over.
        await this.#read(Math.max(this.value!.index, 1));
        pauseMs = this.#options.retryMsMin;
      } catch {
        // Readers see it by the age of what they get; a first read that fails is told to its reader.
        this.#lostContactMs ??= performance.now();
        await pause(pauseMs, this.#stopped.signal);
        pauseMs = Math.min(pauseMs * 2, this.#options.retryMsMax);
      }
    }
    this.stop();
    this.#changed.dispatchEvent(new Event('change'));
  }
}
