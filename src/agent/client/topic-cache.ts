/**
 * Answers that local clients wait on, kept current by one stream a topic (a query with its arguments): ten thousand watchers on
 * a host cost the servers one. When the servers cannot be reached, the last known state stays and says so: established
 * sidecars go on.
 *
 *     first blocking read ──> watch at a server ──> answers ──> everyone who waits for a newer index
 *                                  │ broken: again at another server, after a pause that grows
 *     idle for 10 minutes ──> dropped
 */
import type { Answer, Caller, ReadOptions } from '../../api/backend.ts';
import type { QueryArgs, QueryName, QueryValue } from '../../fsm/index.ts';
import type { Clock } from '../../std/clock.ts';

/** Queries whose blocking reads come from here: those that proxies and discovery clients sit on. */
const topicNames = [
  'health.service',
  'health.connect',
  'intention.match',
  'intention.list',
  'ca.roots',
  'catalog.services',
  'catalog.nodes',
  'configEntry.get',
  'configEntry.list',
] as const satisfies readonly string[];

const idleMs = 600_000;
const defaultWaitMs = 300_000;
const waitMaxMs = 600_000;
const retryMs = { first: 100, max: 5_000 };

export type WatchStream = <N extends QueryName>(
  name: N,
  args: QueryArgs<N>,
  options: ReadOptions & { readonly signal: AbortSignal },
  told: (answer: Answer<QueryValue<N>>) => void,
  ended: (error: Error) => void,
) => void;

export interface TopicCacheEdges {
  readonly clock: Clock;
  readonly watch: WatchStream;
}

export class TopicCache {
  readonly #edges: TopicCacheEdges;
  readonly #topics = new Map<string, Topic>();
  #stopped = false;

  constructor(edges: TopicCacheEdges) {
    this.#edges = edges;
  }

  /** Topics that are kept current. */
  get size(): number {
    return this.#topics.size;
  }

  /** Only blocking reads in the default mode: others ask a server, as their callers want. */
  serves(name: QueryName, options: ReadOptions): boolean {
    const known = (topicNames as readonly string[]).includes(name);
    return known && options.consistency !== 'consistent' && (options.minIndex ?? 0) > 0 && !this.#stopped;
  }

  async query<N extends QueryName>(name: N, args: QueryArgs<N>, options: ReadOptions): Promise<Answer<QueryValue<N>>> {
    const { caller } = options;
    // A token sees what it may: each has topics of its own.
    const key = JSON.stringify([name, caller.token, caller.datacenter, args]);
    let topic = this.#topics.get(key);
    if (topic === undefined) {
      topic = new Topic(name, args as QueryArgs<QueryName>, caller, this.#edges, () => this.#topics.delete(key));
      this.#topics.set(key, topic);
    }
    return (await topic.wait(options)) as Answer<QueryValue<N>>;
  }

  stop(): void {
    this.#stopped = true;
    for (const topic of this.#topics.values()) topic.stop();
    this.#topics.clear();
  }
}

type AnyAnswer = Answer<QueryValue<QueryName>>;

class Topic {
  readonly #edges: TopicCacheEdges;
  readonly #start: () => void;
  readonly #forget: () => void;
  readonly #controller = new AbortController();
  readonly #waiting = new Set<() => void>();
  #answer: AnyAnswer | undefined;
  /** When the stream broke, monotonic ms; undefined while it stands. */
  #brokenAtMs: number | undefined;
  #retryMs = retryMs.first;
  #cancelRetry: () => void = () => undefined;
  #cancelIdle: () => void = () => undefined;

  constructor(name: QueryName, args: QueryArgs<QueryName>, caller: Caller, edges: TopicCacheEdges, forget: () => void) {
    this.#edges = edges;
    this.#forget = forget;
    const options: ReadOptions & { readonly signal: AbortSignal } = {
      caller: { ...caller, call: `${caller.call} (cache)` },
      consistency: 'default',
      signal: this.#controller.signal,
    };
    this.#start = () =>
      edges.watch(
        name,
        args,
        options,
        (answer) => this.#told(answer as AnyAnswer),
        () => this.#broken(),
      );
    this.#start();
  }

  /** The answer once it is newer than asked for, or as it is when the wait is over. */
  async wait({ minIndex = 0, waitMs, signal }: ReadOptions): Promise<AnyAnswer> {
    this.#cancelIdle();
    const limitMs = waitMs === undefined || waitMs <= 0 ? defaultWaitMs : Math.min(waitMs, waitMaxMs);
    const deadlineMs = this.#edges.clock.monotonicMs() + limitMs;
    try {
      for (;;) {
        if (signal?.aborted) throw signal.reason instanceof Error ? signal.reason : new Error('the caller has gone');
        const answer = this.#answer;
        // A first answer, a newer one, or one that went back: the caller must see each.
        if (answer !== undefined && (answer.index > minIndex || answer.index < minIndex)) return this.#aged(answer);
        const leftMs = deadlineMs - this.#edges.clock.monotonicMs();
        if (leftMs <= 0) {
          if (answer !== undefined) return this.#aged(answer);
          throw new Error('no server answered in time');
        }
        await this.#news(leftMs, signal);
      }
    } finally {
      if (this.#waiting.size === 0) this.#planForgetting();
    }
  }

  stop(): void {
    this.#controller.abort();
    this.#cancelRetry();
    this.#cancelIdle();
    for (const wake of [...this.#waiting]) wake();
  }

  /** While the stream is broken, the answer says how old it is and that no leader is known. */
  #aged(answer: AnyAnswer): AnyAnswer {
    if (this.#brokenAtMs === undefined) return answer;
    const ageMs = Math.round(this.#edges.clock.monotonicMs() - this.#brokenAtMs);
    return { ...answer, knownLeader: false, lastContactMs: answer.lastContactMs + ageMs };
  }

  #told(answer: AnyAnswer): void {
    this.#answer = answer;
    this.#brokenAtMs = undefined;
    this.#retryMs = retryMs.first;
    for (const wake of [...this.#waiting]) wake();
  }

  #broken(): void {
    this.#brokenAtMs ??= this.#edges.clock.monotonicMs();
    this.#cancelRetry = this.#edges.clock.after(this.#retryMs, this.#start);
    this.#retryMs = Math.min(this.#retryMs * 2, retryMs.max);
  }

  #news(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#waiting.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const cancel = this.#edges.clock.after(ms, wake);
      this.#waiting.add(wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  #planForgetting(): void {
    this.#cancelIdle();
    this.#cancelIdle = this.#edges.clock.after(idleMs, () => {
      this.stop();
      this.#forget();
    });
  }
}
