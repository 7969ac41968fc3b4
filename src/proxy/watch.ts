/**
 * One blocking query, for ever: ask, hand over what came back, ask again with the index (or the content hash) of the
 * answer. When the agent is away the last value stands, the failure is told once per outage, and the question is asked
 * again after a backoff with jitter.
 *
 *     idle ── start ──▶ asking ── answer ──▶ asking …        (index or hash moves on; equal answers are not handed over)
 *                         │ ▲
 *                 failure ▼ │ after backoff, from index 0
 *                       waiting
 */
import type { Clock } from '../std/clock.ts';
import type { AgentAnswer, AgentClient } from './agent-client.ts';
import { backoffMs } from './backoff.ts';
import type { Chance } from './clock.ts';
import { ProxyError } from './errors.ts';

export interface WatchOptions<T> {
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly token?: string | undefined;
  /** Which header carries the position, and which parameter takes it. */
  readonly by: 'index' | 'hash';
  /** Longest the agent may hold a question. The client's own limit is this, plus a sixteenth, plus 10 s. */
  readonly waitSeconds: number;
  /** Turns the answer into a value; throws when it is not what the API promises. */
  readonly decode: (json: unknown, answer: AgentAnswer) => T;
  readonly onValue: (value: T) => void;
  /** Called at the first failure of an outage, and again when the reason changes. */
  readonly onFailure: (error: ProxyError) => void;
  /** Called at the first good answer after a failure. */
  readonly onRecovery: () => void;
}

export interface WatchDependencies {
  readonly client: AgentClient;
  readonly clock: Clock;
  readonly chance: Chance;
}

/** An agent that answers a blocking question at once and without news is not asked again before this. */
const idleAnswerMsMin = 1_000;
/** The first tries come quickly: an agent that has just started is ready within a fraction of a second. */
const retry = { baseMs: 50, maxMs: 10_000 } as const;

export class Watch<T> {
  readonly #options: WatchOptions<T>;
  readonly #deps: WatchDependencies;
  readonly #abort = new AbortController();
  #position = '';
  #lastBody: string | undefined;
  #failures = 0;
  #lastReason = '';
  #cancelRetry: () => void = () => {};

  constructor(options: WatchOptions<T>, deps: WatchDependencies) {
    this.#options = options;
    this.#deps = deps;
  }

  start(): this {
    void this.#ask();
    return this;
  }

  /** Ends the watch at once; no callback comes after this. */
  stop(): void {
    this.#cancelRetry();
    this.#abort.abort();
  }

  async #ask(): Promise<void> {
    const { path, token, waitSeconds, by, query } = this.#options;
    const blocking = this.#position !== '';
    const timeoutMs = blocking ? (waitSeconds * 17 * 1000) / 16 + 10_000 : 30_000;
    const position = blocking ? { [by]: this.#position, wait: `${waitSeconds}s` } : {};
    const askedMs = this.#deps.clock.monotonicMs();
    const before = this.#position;
    let failure: ProxyError | undefined;
    try {
      const signal = this.#abort.signal;
      const answer = await this.#deps.client.ask('GET', path, {
        query: { ...query, ...position },
        token,
        signal,
        timeoutMs,
      });
      if (this.#abort.signal.aborted) return;
      this.#take(answer);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (!(error instanceof ProxyError)) throw error;
      failure = error;
    }
    if (failure !== undefined) return this.#fail(failure);
    const heldMs = this.#deps.clock.monotonicMs() - askedMs;
    if (blocking && this.#position === before && heldMs < idleAnswerMsMin) return this.#askAfter(idleAnswerMsMin);
    void this.#ask();
  }

  #askAfter(delayMs: number): void {
    this.#cancelRetry = this.#deps.clock.after(delayMs, () => void this.#ask());
  }

  #take(answer: AgentAnswer): void {
    const position = this.#positionOf(answer);
    const changed = answer.body !== this.#lastBody;
    if (changed) {
      const value = decodeWith(this.#options, answer);
      this.#lastBody = answer.body;
      this.#recover();
      this.#position = position;
      this.#options.onValue(value);
    } else {
      this.#recover();
      this.#position = position;
    }
  }

  /** An index that goes back means restored or lost state: begin again from nothing (as Consul's documentation asks). */
  #positionOf(answer: AgentAnswer): string {
    if (this.#options.by === 'hash') {
      const hash = answer.headers['x-consul-contenthash'];
      if (typeof hash !== 'string' || hash === '') {
        throw new ProxyError('agent_answer_malformed', `${this.#options.path}: no content hash`, {});
      }
      return hash;
    }
    const index = Number(answer.headers['x-consul-index']);
    if (!Number.isSafeInteger(index) || index < 1) {
      throw new ProxyError('agent_answer_malformed', `${this.#options.path}: no usable X-Consul-Index`, {});
    }
    return index < Number(this.#position || 0) ? '' : String(index);
  }

  #recover(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#lastReason = '';
    this.#options.onRecovery();
  }

  #fail(error: ProxyError): void {
    this.#failures += 1;
    this.#position = '';
    if (error.message !== this.#lastReason) {
      this.#lastReason = error.message;
      this.#options.onFailure(error);
    }
    this.#askAfter(backoffMs(this.#failures, retry, this.#deps.chance));
  }
}

function decodeWith<T>(options: WatchOptions<T>, answer: AgentAnswer): T {
  try {
    return options.decode(JSON.parse(answer.body), answer);
  } catch (error) {
    const reason = (error as Error).message;
    throw new ProxyError('agent_answer_malformed', `${options.path}: ${reason}`, { reason }, { cause: error });
  }
}
