/**
 * Answers that local clients wait on, kept current by one stream a topic (a query with its arguments): ten thousand watchers on
 * a host cost the servers one. When the servers cannot be reached, the last known state stays and says so: established
 * sidecars go on.
 *
 *     first blocking read ──> watch at a server ──> answers ──> everyone who waits for a newer index
 *                                  │ broken: again at another server, after a pause that grows
 *                                  │ refused (what was asked cannot be): told to all who wait, and forgotten
 *                                  │ another server's turn: a second watch there, and this one ends when that one is as new
 *     idle for 10 minutes ──> dropped
 */
import { type Answer, BackendError, type Caller, type ReadOptions } from '../../api/backend.ts';
import { Refusal } from '../../fsm/errors.ts';
import type { QueryArgs, QueryName, QueryValue } from '../../fsm/index.ts';
import type { Clock } from '../../std/clock.ts';

/**
 * Queries whose blocking reads come from here: those that proxies and discovery clients sit on. Not keys and sessions: who
 * waits on these may decide by them, and must not be shown a last known state as an answer.
 */
const topicNames = [
  'health.service',
  'health.connect',
  'health.checks',
  'health.node',
  'health.state',
  'intention.ground',
  'intention.match',
  'intention.list',
  'ca.roots',
  'catalog.services',
  'catalog.service',
  'catalog.connect',
  'catalog.nodes',
  'catalog.node',
  'configEntry.get',
  'configEntry.list',
  'configEntry.resolve',
] as const satisfies readonly string[];

const idleMs = 600_000;
const defaultWaitMs = 300_000;
const waitMaxMs = 600_000;
const retryMs = { first: 100, max: 5_000 };

/** Returns the server that is asked first; undefined if there is none. */
export type WatchStream = <N extends QueryName>(
  name: N,
  args: QueryArgs<N>,
  options: ReadOptions & { readonly signal: AbortSignal },
  told: (answer: Answer<QueryValue<N>>) => void,
  ended: (error: Error) => void,
) => string | undefined;

export interface TopicCacheEdges {
  readonly clock: Clock;
  readonly watch: WatchStream;
  /** How long a topic that never had an answer waits for a server, ms. */
  readonly holdMs: number;
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** What a topic needs of the cache that holds it. */
interface TopicHome {
  forget(): void;
  /** Its stream broke, or stands again. */
  standing(stands: boolean, reason: string): void;
}

export class TopicCache {
  readonly #edges: TopicCacheEdges;
  readonly #topics = new Map<string, Topic>();
  readonly #broken = new Set<string>();
  #stopped = false;

  constructor(edges: TopicCacheEdges) {
    this.#edges = edges;
  }

  /** Topics that are kept current. */
  get size(): number {
    return this.#topics.size;
  }

  /** Topics whose stream is broken: they show the last known state. */
  get broken(): number {
    return this.#broken.size;
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
      topic = new Topic(name, args as QueryArgs<QueryName>, caller, this.#edges, {
        forget: () => {
          this.#topics.delete(key);
          this.#broken.delete(key);
        },
        standing: (stands, reason) => this.#standing(key, stands, reason),
      });
      this.#topics.set(key, topic);
      topic.start();
    }
    return (await topic.wait(options)) as Answer<QueryValue<N>>;
  }

  /** Said once for all topics: an operator wants to know that this host lives on what it knew. */
  #standing(key: string, stands: boolean, reason: string): void {
    const before = this.#broken.size;
    if (stands) this.#broken.delete(key);
    else this.#broken.add(key);
    if (this.#stopped || (before === 0) === (this.#broken.size === 0)) return;
    if (stands) this.#edges.info('the servers answer again: the state is current', { topics: this.#topics.size });
    else this.#edges.warn('no server keeps us current: going on with the last known state', { reason });
  }

  /** `server` is the one to ask now: streams that stand at another one move there, without a gap. */
  moveTo(server: string): void {
    for (const topic of this.#topics.values()) topic.moveTo(server);
  }

  stop(): void {
    this.#stopped = true;
    for (const topic of this.#topics.values()) topic.stop();
    this.#topics.clear();
  }
}

type AnyAnswer = Answer<QueryValue<QueryName>>;

const newStream = (): Stream => ({ controller: new AbortController(), server: undefined, heard: false });

/** A watch at one server. */
interface Stream {
  readonly controller: AbortController;
  server: string | undefined;
  heard: boolean;
}

class Topic {
  readonly #watch: (stream: Stream) => string | undefined;
  readonly #edges: TopicCacheEdges;
  readonly #home: TopicHome;
  /** What keeps this topic current. */
  #stream: Stream | undefined;
  /** What is to take over once it is as new. */
  #next: Stream | undefined;
  readonly #waiting = new Set<() => void>();
  /** Of those who wait and want to know whether the stream stands. */
  readonly #contacts = new Set<(stands: boolean) => void>();
  #answer: AnyAnswer | undefined;
  /** Why there will be no answer. */
  #over: Error | undefined;
  /** Why the stream broke last. */
  #reason: Error | undefined;
  /** Counts the first answers of streams: each is as new as any read that ended before its stream began. */
  #firsts = 0;
  /** Highest index before the state was replaced by an older one; 0 when that never happened. */
  #replacedIndex = 0;
  /** When the stream broke, monotonic ms; undefined while it stands. */
  #brokenAtMs: number | undefined;
  #retryMs = retryMs.first;
  #cancelRetry: () => void = () => undefined;
  #cancelIdle: () => void = () => undefined;

  constructor(name: QueryName, args: QueryArgs<QueryName>, caller: Caller, edges: TopicCacheEdges, home: TopicHome) {
    this.#edges = edges;
    this.#home = home;
    const options: ReadOptions = { caller: { ...caller, call: `${caller.call} (cache)` }, consistency: 'default' };
    this.#watch = (stream) =>
      edges.watch(
        name,
        args,
        { ...options, signal: stream.controller.signal },
        (answer) => this.#heard(stream, answer as AnyAnswer),
        (error) => this.#ended(stream, error),
      );
  }

  start(): void {
    this.#stream = newStream();
    this.#stream.server = this.#watch(this.#stream);
  }

  /** Make before break: the old stream is listened to until the new one tells something as new. */
  moveTo(server: string): void {
    const stands = this.#answer !== undefined && this.#brokenAtMs === undefined && this.#over === undefined;
    if (!stands || this.#stream?.server === server) return;
    this.#next?.controller.abort();
    this.#next = newStream();
    this.#next.server = this.#watch(this.#next);
  }

  /** The answer once it is newer than asked for, or as it is when the wait is over. */
  async wait({ minIndex = 0, waitMs, signal, contact }: ReadOptions): Promise<AnyAnswer> {
    this.#cancelIdle();
    if (contact !== undefined) {
      this.#contacts.add(contact);
      if (this.#brokenAtMs !== undefined) contact(false);
    }
    const limitMs = waitMs === undefined || waitMs <= 0 ? defaultWaitMs : Math.min(waitMs, waitMaxMs);
    const startMs = this.#edges.clock.monotonicMs();
    const deadlineMs = startMs + limitMs;
    // Who waits a little for news has nothing yet to go on with: a first answer may take as long as any request.
    const firstDeadlineMs = Math.max(deadlineMs, startMs + this.#edges.holdMs);
    const firsts = this.#firsts;
    try {
      for (;;) {
        if (signal?.aborted) throw signal.reason instanceof Error ? signal.reason : new Error('the caller has gone');
        if (this.#over !== undefined) throw this.#over;
        const answer = this.#answer;
        if (answer !== undefined && this.#concerns(answer, minIndex, firsts)) return this.#aged(answer);
        const nowMs = this.#edges.clock.monotonicMs();
        const leftMs =
          (answer === undefined ? Math.min(firstDeadlineMs, this.#holdUntilMs(nowMs)) : deadlineMs) - nowMs;
        if (leftMs <= 0) {
          if (answer !== undefined) return this.#aged(answer);
          throw this.#reason ?? new BackendError('noLeader', 'no server answered in time');
        }
        await this.#news(leftMs, signal);
      }
    } finally {
      if (contact !== undefined) this.#contacts.delete(contact);
      if (this.#waiting.size === 0 && this.#over === undefined) this.#planForgetting();
    }
  }

  stop(reason: Error = new BackendError('stopped', 'this agent is shutting down')): void {
    this.#over ??= reason;
    this.#stream?.controller.abort();
    this.#next?.controller.abort();
    this.#cancelRetry();
    this.#cancelIdle();
    for (const wake of [...this.#waiting]) wake();
  }

  /**
   * A newer answer concerns the caller, and one from after the state was replaced by an older one: we saw that happen, or a
   * stream that began after the caller came says so. An older one otherwise does not: the caller asked a server that is ahead
   * of our stream, and must not be shown the past.
   */
  #concerns({ index }: AnyAnswer, minIndex: number, firsts: number): boolean {
    if (index >= minIndex) return index > minIndex;
    return minIndex <= this.#replacedIndex || this.#firsts !== firsts;
  }

  /** A topic without any state fails as every request does: when no server could be asked for the hold time. */
  #holdUntilMs(nowMs: number): number {
    return this.#brokenAtMs === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(this.#brokenAtMs + this.#edges.holdMs, nowMs);
  }

  /** While the stream is broken, the answer says how old it is and that no leader is known. */
  #aged(answer: AnyAnswer): AnyAnswer {
    if (this.#brokenAtMs === undefined) return answer;
    const ageMs = Math.round(this.#edges.clock.monotonicMs() - this.#brokenAtMs);
    return { ...answer, knownLeader: false, lastContactMs: answer.lastContactMs + ageMs };
  }

  #heard(stream: Stream, answer: AnyAnswer): void {
    if (stream === this.#next) {
      // A server that is behind would show the past. It may still come up.
      if (answer.index < (this.#answer?.index ?? 0)) return;
      this.#stream?.controller.abort(new Error('another server keeps this current now'));
      this.#stream = stream;
      this.#next = undefined;
    }
    if (stream === this.#stream) this.#told(stream, answer);
  }

  #told(stream: Stream, answer: AnyAnswer): void {
    const before = this.#answer?.index ?? 0;
    if (answer.index < before) this.#replacedIndex = Math.max(this.#replacedIndex, before);
    this.#answer = answer;
    if (!stream.heard) this.#firsts++;
    stream.heard = true;
    if (this.#brokenAtMs !== undefined) {
      this.#home.standing(true, '');
      for (const contact of this.#contacts) contact(true);
    }
    this.#brokenAtMs = undefined;
    this.#retryMs = retryMs.first;
    for (const wake of [...this.#waiting]) wake();
  }

  #ended(stream: Stream, error: Error): void {
    if (stream === this.#next) this.#next = undefined;
    if (this.#over !== undefined || stream !== this.#stream) return;
    this.#next?.controller.abort();
    this.#next = undefined;
    // A server understood what was asked and said no: another one would say the same.
    if (error instanceof Refusal) {
      this.stop(error);
      this.#home.forget();
      return;
    }
    this.#reason = error;
    if (this.#brokenAtMs === undefined) {
      this.#brokenAtMs = this.#edges.clock.monotonicMs();
      this.#home.standing(false, error.message);
      for (const contact of this.#contacts) contact(false);
      // Who waits for a first answer does so for the hold time only, from now on.
      if (this.#answer === undefined) for (const wake of [...this.#waiting]) wake();
    }
    this.#cancelRetry = this.#edges.clock.after(this.#retryMs, () => this.start());
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
      this.#home.forget();
    });
  }
}
